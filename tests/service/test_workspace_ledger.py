"""The ledger of a workspace: every movement once, the newest first, each with the balance after."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.errors import INVALID_FIELD, NOT_FOUND
from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE, to_iso_ms
from farebox.service.pages import Turn, turn
from farebox.service.workspace_ledger import LedgerAccount, LedgerLine, read_ledger
from tests.support.busy import Busy
from tests.support.gates import GateWorld
from tests.support.harness import Harness
from tests.support.homes import ENGINE_DRAWN, Homes
from tests.support.refusal import refused
from tests.support.worlds import World

MICRO = 1_000_000


def ledger(
    harness: Harness, profile_id: int, *, limit: int = 100, with_draws: bool = False
) -> list[LedgerLine]:
    """All lines, page by page."""
    lines: list[LedgerLine] = []
    cursor: str | None = None
    while True:
        at = turn(cursor, limit)
        found = read_ledger(harness.reader, profile_id, at, with_draws=with_draws)
        lines += found.data
        cursor = found.next_cursor
        if cursor is None:
            return lines


def test_movements_are_told_in_peoples_words(harness: Harness) -> None:
    harness.call("plans.create", slug="gold", name="Gold", credits_per_month=5)
    profile_id = harness.workspace(plan="gold")
    key_id = harness.key(profile_id)
    harness.advance(minutes=1)
    row = harness.row(profile_id, key_id, credits_micro=7 * MICRO)
    harness.record([row])
    harness.advance(minutes=1)
    harness.call("grants.create", profile_id=profile_id, credits=10, kind="topup")
    harness.advance(minutes=1)
    harness.call(
        "corrections.create",
        profile_id=profile_id,
        request_id=format_uuid(row.query_log_id),
        credits=-1,
        reason="Empty.",
    )
    lines = ledger(harness, profile_id)
    plan, topup, back = (
        LedgerAccount("grant", number, kind)  # type: ignore[arg-type]
        for number, kind in ((1, "plan"), (2, "topup"), (3, "correction"))
    )
    told = [(li.kind, li.debit, li.credit, li.amount_micro, li.balance_micro) for li in lines]
    issued, spent, overdraft = (LedgerAccount(n) for n in ("issued", "spent", "overdraft"))
    assert told == [
        ("correction", spent, back, MICRO, 9 * MICRO),
        ("repay", topup, overdraft, 2 * MICRO, 8 * MICRO),
        ("grant", issued, topup, 10 * MICRO, 8 * MICRO),
        ("charge", overdraft, spent, 2 * MICRO, -2 * MICRO),
        ("charge", plan, spent, 5 * MICRO, 0),
        ("grant", issued, plan, 5 * MICRO, 5 * MICRO),
    ]
    assert (lines[0].reason, lines[0].query_log_id) == ("Empty.", format_uuid(row.query_log_id))
    assert {li.reason for li in lines[1:]} == {None}
    assert lines[0].at_ms == lines[0].committed_at_ms == harness.now_ms
    assert lines[-1].committed_at_ms == harness.now_ms - 3 * MS_PER_MINUTE


def test_what_ended_unnoticed_counts_at_its_end_and_was_written_later(harness: Harness) -> None:
    profile_id = harness.workspace()
    ends_ms = harness.now_ms + MS_PER_DAY
    ends = to_iso_ms(ends_ms)
    harness.call(
        "grants.create", profile_id=profile_id, credits=7, kind="promotion", expires_at=ends
    )
    harness.advance(days=2)
    newest = ledger(harness, profile_id)[0]
    assert (newest.kind, newest.at_ms, newest.balance_micro) == (
        "expiry",
        ends_ms - 1,
        1000 * MICRO,
    )
    assert newest.committed_at_ms == harness.now_ms


@settings(max_examples=15)
@given(engine=ENGINE_DRAWN, seed=st.integers(0, 2**32))
def test_every_movement_is_told_once_and_balances_add_up(
    homes: Homes, engine: str, seed: int
) -> None:
    with homes.one(engine) as home, World(home, seed=seed) as world:
        busy = Busy(world, seed)
        busy.run(40)
        ids = [cast("int", row[0]) for row in world.select("select profile_id from workspaces")]
        for profile_id in ids:
            lines = ledger(world, profile_id, limit=3, with_draws=True)
            assert lines == ledger(world, profile_id, with_draws=True)
            ((count,),) = world.select(
                "select count(*) from transfers where profile_id = ?", profile_id
            )
            assert len(lines) == count
            times = [line.at_ms for line in lines]
            assert times == sorted(times, reverse=True)
            if lines:
                assert lines[0].balance_micro == world.balance_micro(profile_id)
            moved = [line for line in lines if line.kind not in {"draw", "return"}]
            assert ledger(world, profile_id, limit=2) == moved


def test_what_is_drawn_is_told_when_asked_for(harness: Harness) -> None:
    profile_id = harness.workspace()
    harness.log_type("people_search")
    key_id = harness.key(profile_id)

    async def admit() -> None:
        gate = GateWorld(harness)
        await gate.settle(await gate.admitted(key_id, "people_search"))

    asyncio.run(admit())
    lines = ledger(harness, profile_id, with_draws=True)
    assert [line.kind for line in lines] == ["charge", "draw", "grant"]
    assert lines[0].debit == LedgerAccount("drawn", 1, "plan")
    assert [line.balance_micro for line in lines] == [997 * MICRO, 1000 * MICRO, 1000 * MICRO]
    assert [line.kind for line in ledger(harness, profile_id)] == ["charge", "grant"]


def test_a_workspace_sees_its_own_ledger_alone(harness: Harness) -> None:
    first, second = harness.workspace(), harness.workspace()
    harness.call("grants.create", profile_id=first, credits=10, kind="topup")
    assert len(ledger(harness, first)) == 2
    assert len(ledger(harness, second)) == 1
    with refused(NOT_FOUND):
        ledger(harness, 99)


@pytest.mark.parametrize("text", ["x", "1.2", "1.2.3.4", "9999999999999999999.1.1"])
def test_a_cursor_of_another_list_is_refused(harness: Harness, text: str) -> None:
    profile_id = harness.workspace()
    with refused(INVALID_FIELD, field="cursor"):
        read_ledger(harness.reader, profile_id, Turn((5, text)))
