"""Retry storms on a real server: what is recorded is recorded once, whatever is lost or killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from farebox.client import AsyncClient, Batching, Client, FailedRow
from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.client.faults import (
    FAULTS,
    PATIENT,
    AsyncFaultyTransport,
    Faults,
    FaultyTransport,
)
from tests.support.server import RunningServer
from tests.support.truth import differences

ROWS = 120
BATCHING = Batching(rows_max=10, age_seconds_max=3_600)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path) as running:
        running.make("/log_types", {"slug": "people_search", "name": "People", "credits": 3})
        running.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 1_000})
        running.make("/workspaces", {"name": "Acme", "plan": "gold"})
        yield running


def storm(seed: int) -> list[str]:
    """Faults for as many attempts as there are batches, each kind of them at least once."""
    draw = random.Random(seed)
    plan = [*FAULTS, *draw.choices(FAULTS, weights=(6, 6, 1, 1, 1), k=ROWS // 10)]
    draw.shuffle(plan)
    return plan


def record_all(faults: Faults, key: str, failed: list[FailedRow]) -> list[str]:
    with Client(
        faults.server.url,
        faults.server.token,
        retry=PATIENT,
        batching=BATCHING,
        on_failure=failed.append,
        transport=FaultyTransport(faults),
        sleep=faults.sleep,
    ) as client:
        return [client.record(key=key, log_type="people_search") for _ in range(ROWS)]


async def record_all_async(faults: Faults, key: str, failed: list[FailedRow]) -> list[str]:
    async with AsyncClient(
        faults.server.url,
        faults.server.token,
        retry=PATIENT,
        batching=BATCHING,
        on_failure=failed.append,
        transport=AsyncFaultyTransport(faults),
        sleep=faults.async_sleep,
    ) as client:
        return [client.record(key=key, log_type="people_search") for _ in range(ROWS)]


def check(server: RunningServer, ids: list[str]) -> None:
    """Each id is there once, each was charged once, and every sum agrees."""
    with closing(open_reader(server.database)) as reader:
        execute = reader.connection.execute
        stored = [identity for (identity,) in execute("select identity from identities")]
        assert len(stored) == len(set(stored)) == len(ids) == len(set(ids)) == ROWS
        assert {i[1:].hex() for i in stored} == {text.replace("-", "") for text in ids}
        ((charged,),) = execute("select sum(credits_micro) from requests")
        assert charged == 3_000_000 * ROWS
        assert not differences(reader.connection)
        assert run_audit(reader, integrity=True).agrees


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("seed", [7])
def test_a_storm_loses_and_doubles_nothing(server: RunningServer, colour: str, seed: int) -> None:
    key = server.make("/workspaces/1/keys", {})["key"]
    plan = storm(seed)
    faults = Faults(server, plan)
    failed: list[FailedRow] = []
    if colour == "sync":
        ids = record_all(faults, key, failed)
    else:
        ids = asyncio.run(record_all_async(faults, key, failed))
    assert failed == []
    assert set(faults.met) == set(FAULTS)
    assert len(faults.met) >= len(plan)
    if server.process is None:
        server.start()
    check(server, ids)
