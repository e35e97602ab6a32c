"""Audits, processes and the refusals of all: what the operator looks at."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pytest

from farebox.core.calendar import format_day
from farebox.core.errors import NOT_FOUND
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.refusal import NO_WORKSPACE
from farebox.engine.leases import SILENT_MS
from farebox.service.audit import audit_data, audit_keep, run_audit
from farebox.service.auditor import Auditor, audit
from farebox.service.audits import list_audits, read_audit
from farebox.service.date_range import date_range
from farebox.service.pages import turn
from farebox.service.processes import read_processes
from farebox.service.refusal_counts import read_refusal_counts
from farebox.service.refusal_totals import read_refusal_totals, read_refusals_lately
from tests.support.gates import GateWorld
from tests.support.harness import Harness
from tests.support.refusal import refused
from tests.support.refused import note, refusal

MICRO = 1_000_000


def test_the_history_of_audits_is_told_the_newest_first(harness: Harness) -> None:
    assert list_audits(harness.reader, turn(None, 2)).data == []
    profile_id = harness.workspace()
    harness.record([harness.row(profile_id, harness.key(profile_id), credits_micro=MICRO)])
    result = run_audit(harness.reader)
    for _ in range(3):
        harness.advance(minutes=1)
        harness.call("audits.keep", **msgspec.structs.asdict(audit_keep(result)))
    first = list_audits(harness.reader, turn(None, 2))
    second = list_audits(harness.reader, turn(first.next_cursor, 2))
    entries = [*first.data, *second.data]
    assert [entry.ended_at_ms for entry in entries] == [
        harness.now_ms - minutes * 60_000 for minutes in range(3)
    ]
    assert second.next_cursor is None
    assert {(entry.requests, entry.differences) for entry in entries} == {(1, 0)}
    told = read_audit(harness.reader, entries[0].audit_id)
    assert told.entry == entries[0]
    assert told.data == audit_data(result)
    with refused(NOT_FOUND):
        read_audit(harness.reader, 99)


def test_an_audit_without_details_is_told_as_far_as_it_was_kept(harness: Harness) -> None:
    harness.call("audits.keep", took_ms=5, requests=1, differences=2, detail="{}")
    (entry,) = list_audits(harness.reader, turn(None, None)).data
    assert read_audit(harness.reader, entry.audit_id) == (entry, None)


def test_one_audit_runs_at_a_time() -> None:
    async def run() -> None:
        wait = "import sys; sys.stdin.read(); import time; time.sleep(600)"
        auditor = Auditor(lambda: audit([sys.executable, "-c", wait], {}))
        assert auditor.begin()
        assert not auditor.begin()
        assert auditor.is_running
        await auditor.stop()
        assert not auditor.is_running

    asyncio.run(run())


def test_processes_tell_what_they_have_drawn_and_hold_back(harness: Harness) -> None:
    harness.call(
        "plans.create",
        slug="gold",
        name="Gold",
        credits_per_month=1000,
        limits={"api": {"hour": 100, "day": 1000}},
    )
    profile_id = harness.workspace(plan="gold", name="Acme")
    harness.log_type("people_search")
    key_id = harness.key(profile_id)
    gate = GateWorld(harness)
    asyncio.run(gate.admitted(key_id, "people_search"))
    began_ms = harness.now_ms
    now = read_processes(harness.reader, harness.now_ms)
    (node,) = now.nodes
    assert node.entered_at_ms == began_ms
    (lease,) = now.leases
    assert (lease.opened_at_ms, lease.ended_at_ms) == (began_ms, None)
    assert (lease.hour_units, lease.day_units) == (
        gate.spent(profile_id, "hour").drawn,
        gate.spent(profile_id, "day").drawn,
    )
    assert lease.hour_units > 0
    assert (now.drawn_micro, now.held_back_micro) == (gate.drawn_micro(profile_id), 0)
    assert now.drawn_micro > 0
    (top,) = now.workspaces
    assert (top.profile_id, top.name, top.credits_micro) == (profile_id, "Acme", now.drawn_micro)
    # Its process dies: what it had drawn is held back, until its reservations are over.
    for _ in range(8):
        harness.advance(SILENT_MS // 5)
    later = read_processes(harness.reader, harness.now_ms)
    assert (later.drawn_micro, later.held_back_micro) == (0, now.drawn_micro)
    assert later.leases[0].ended_at_ms is not None
    assert later.workspaces[0].held_back_micro == now.drawn_micro
    # Hours that have closed hold nothing.
    end_ms = harness.now_ms + 2 * MS_PER_HOUR
    assert read_processes(harness.reader, end_ms).leases[0].hour_units == 0


def test_refusals_of_all_workspaces_add_up_to_those_of_each(harness: Harness) -> None:
    first, second = harness.workspace(name="Acme"), harness.workspace(name="Bolt")
    now_ms = harness.now_ms
    note(
        harness,
        *(refusal(first, "key", time_ms=now_ms - n * MS_PER_DAY) for n in (0, 0, 1, 40)),
        refusal(second, "key", time_ms=now_ms, denied_by="credits", is_shadow=True),
        refusal(NO_WORKSPACE, "", time_ms=now_ms, code=40101, denied_by="key"),
    )
    today = now_ms // MS_PER_DAY
    days = date_range(format_day(today - 29), format_day(today))
    found = read_refusal_totals(harness.reader, days)
    assert found.days == [
        (today - 1, "hour", 1, 0),
        (today, "credits", 0, 1),
        (today, "hour", 2, 0),
        (today, "key", 1, 0),
    ]
    assert found.reasons == [("hour", 3, 0), ("credits", 0, 1), ("key", 1, 0)]
    assert (found.refusals, found.shadow_refusals) == (4, 1)
    assert [tuple(one) for one in found.workspaces] == [
        (first, "Acme", 3, 0),
        (None, "", 1, 0),
        (second, "Bolt", 0, 1),
    ]
    of_each = [
        read_refusal_counts(harness.reader, one, None, None, now_ms).totals.refusals
        for one in (first, second)
    ]
    assert of_each == [3, 0]
    assert read_refusals_lately(harness.reader, now_ms).refusals == 4


@pytest.mark.parametrize(("hours", "count"), [(24, 1), (25, 0)])
def test_the_last_day_is_told_to_the_quarter_hour(harness: Harness, hours: int, count: int) -> None:
    profile_id = harness.workspace()
    time_ms = harness.now_ms - hours * MS_PER_HOUR
    note(harness, refusal(profile_id, "key", time_ms=time_ms))
    assert read_refusals_lately(harness.reader, harness.now_ms).refusals == count
