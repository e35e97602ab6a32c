"""Spends: what admitted requests take of what was drawn for them, however many a record has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.engine.messages import Draw, Drawn, Record, Recorded, Spend, Want
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, request

LEASE_ID = 77


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


def draw(world: World, profile_id: int, credits_micro: int) -> int:
    """Draw credits for a process; their lot."""
    want = Want(profile_id, "user", "api", (0,) * 5, credits_micro, credits_micro)
    (reply,) = world.handle(Draw(1, LEASE_ID, world.now_ms, 60_000, [want]))
    assert isinstance(reply, Drawn)
    return reply.supplies[0].grants[0].lot_id


def spending(profile_id: int, lot_id: int, names: str, lease_id: int = LEASE_ID) -> Record:
    """A record of requests that were admitted by 2 credits each."""
    rows = [request(profile_id, name, credits_micro=2 * MICRO) for name in names]
    spends = [
        Spend(row.query_log_id, LEASE_ID, ((lot_id, 2 * MICRO),), number, 0)
        for number, row in enumerate(rows)
    ]
    return Record(1, rows, [], False, lease_id, spends)


def charged(world: World, profile_id: int) -> dict[str, int]:
    """Credits that were spent, by the account that paid."""
    rows = world.select(
        "select debit_account, sum(amount_micro) from transfers"
        " where profile_id = ? and credit_account = 'spent' group by debit_account",
        profile_id,
    )
    return {account: int(amount) // MICRO for account, amount in rows}


@pytest.mark.parametrize("parts", [("abc",), ("a", "bc"), ("a", "b", "c")])
def test_a_lot_gives_what_it_has_and_the_purse_the_rest(
    world: World, parts: tuple[str, ...]
) -> None:
    profile_id = world.workspace()
    lot_id = draw(world, profile_id, 5 * MICRO)
    for names in parts:
        world.handle(spending(profile_id, lot_id, names))
    assert charged(world, profile_id) == {"drawn:1": 5, "grant:1": 1}
    assert world.select("select units from draws") == [(0,)]
    assert world.balance_micro(profile_id) == (1000 - 6) * MICRO
    assert not differences(world.db)


def test_a_request_in_two_records_of_a_commit_takes_once(world: World) -> None:
    profile_id = world.workspace()
    lot_id = draw(world, profile_id, 100 * MICRO)
    replies = world.handle(
        spending(profile_id, lot_id, "ab"),
        spending(profile_id, lot_id, "bc", lease_id=LEASE_ID + 1),
    )
    told = [reply.duplicates for reply in replies if isinstance(reply, Recorded)]
    assert told == [[], [0]]
    assert charged(world, profile_id) == {"drawn:1": 6}
    assert world.select("select units from draws") == [(94 * MICRO,)]
    assert not differences(world.db)
