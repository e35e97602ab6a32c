"""What a node of a fleet tells of itself, and how many connections it takes at most."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

import httpx
import psycopg
import pytest

from farebox.service.readers import THREADS
from tests.postgres.office import Office
from tests.support.calls import call
from tests.support.server import RunningServer
from tests.support.waiting import until

CONNECTED = """select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend'"""
FOLLOWERS = 1
WRITERS = 1
# Of the whole fleet; the first is made when the first server starts.
AUDITS = 1


class Told(NamedTuple):
    """What a server tells: called with a metric's name, the sum of its samples."""

    server: RunningServer

    def __call__(self, name: str) -> float:
        text = self.server.client.get(f"{self.server.url}/metrics").text
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        assert lines, f"{name} is told"
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def connected(watch: psycopg.Connection[tuple[int]]) -> int:
    """How many connections to the database there are, without the one that looks."""
    row = watch.execute(CONNECTED).fetchone()
    assert row is not None
    return row[0] - 1


def ask(server: RunningServer, key: str) -> int:
    """Two reports of the customer, on connections of their own."""
    body = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
    with httpx.Client(headers={"x-api-key": key}, timeout=30) as client:
        asked = [
            client.post(f"{server.url}/api_keys/usage/{report}", json=body)
            for report in ("daily", "breakdown")
        ]
    return sum(answer.status_code == 200 for answer in asked)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_node_takes_one_connection_and_three_for_each_server(
    office: Office, workers: int
) -> None:
    key = office.sell()
    bound = WRITERS + workers * (FOLLOWERS + THREADS)
    url = office.database.url.reveal()
    with (
        office.server(FAREBOX_WORKERS=str(workers)) as server,
        closing(psycopg.connect(url, autocommit=True)) as watch,
        ThreadPoolExecutor(8) as callers,
    ):
        seen: list[int] = []
        while not seen or max(seen) < bound:
            asked = [callers.submit(ask, server, key) for _ in range(40)]
            while not all(one.done() for one in asked):
                seen.append(connected(watch))
            assert sum(one.result() for one in asked) == 80
        assert max(seen) <= bound + AUDITS
        told = Told(server)
        until(lambda: told("farebox_database_connections") == bound - WRITERS)


def test_a_node_tells_of_its_trust_its_draws_and_its_way_to_the_database(
    office: Office,
) -> None:
    office.sell()
    with office.recorder() as link:
        limits = {"api": {"hour": 10}}
        call(link, "plans.create", slug="small", name="S", credits_per_month=9, limits=limits)
        profile_id = call(link, "workspaces.create", name="Small", plan="small").profile_id
        key = str(call(link, "keys.create", profile_id=profile_id).key)
    with office.server() as server:
        told = Told(server)
        until(lambda: told("farebox_node_renewals_total") >= 2)
        assert 0 < told("farebox_gate_trust_seconds") <= 0.9
        before = told("farebox_recorder_round_trips_total")
        asked = server.call("POST", "/v1/authorize", {"key": key, "log_type": "people"}).json()
        assert asked["allowed"]
        assert told("farebox_database_round_trips_total") > 0
        assert 1 <= told("farebox_gate_drawn_units_total") <= 10
        assert told("farebox_gate_early_refusals_total") == 0
        until(lambda: told("farebox_recorder_round_trips_total") > before)
        until(lambda: told("farebox_nodes") == 1)
        assert told("farebox_held_back_units") == 0


def test_a_node_that_ends_another_tells_of_it_and_of_what_is_held_back(office: Office) -> None:
    key = office.sell()
    with office.server("one") as one, office.server("other") as other:
        until(lambda: Told(other)("farebox_nodes") == 2)
        asked = one.call("POST", "/v1/authorize", {"key": key, "log_type": "people"}).json()
        assert asked["allowed"]
        recorder = one.recorder_pid()
        assert one.process is not None
        assert recorder is not None
        for pid in (one.process.pid, recorder):
            os.kill(pid, signal.SIGKILL)
        one.process.wait()
        until(lambda: Told(other)("farebox_nodes_ended_total") == 1)
        until(lambda: Told(other)("farebox_held_back_micro_credits") >= 3_000_000)
        until(lambda: Told(other)("farebox_nodes") == 1)
