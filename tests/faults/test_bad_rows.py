"""A row that breaks a rule of the schema is refused alone: it spoils no other row and no caller.

Such rows are planted behind the packer, which would not let them through.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.errors import INTERNAL, NOT_FOUND, ROW_REFUSED, FareboxError
from farebox.core.request import Capture
from farebox.engine.messages import Answered, Call, Failed, Record, Recorded
from farebox.engine.transaction import Command, Transaction
from tests.support.truth import differences
from tests.support.worlds import MICRO, Give, Made, World, counts, record, request

BAD_STATUS = 999


def _give_and_fail(tx: Transaction, give: Give) -> Made:
    """Move credits, then refuse: nothing of it may remain, in the database or in memory."""
    tx.books.grant(give.profile_id, "topup", give.credits_micro, tx.commit_id, tx.now_ms)
    raise FareboxError(NOT_FOUND, what="test")


def _give_and_break(tx: Transaction, give: Give) -> Made:
    tx.books.grant(give.profile_id, "topup", give.credits_micro, tx.commit_id, tx.now_ms)
    tx.books.grant(give.profile_id, "topup", 0, tx.commit_id, tx.now_ms)
    return Made()


COMMANDS = {
    command.name: command
    for command in (
        Command("test.refuse", Give, _give_and_fail),
        Command("test.break", Give, _give_and_break),
    )
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, commands=COMMANDS) as made:
        yield made


def call(name: str, profile_id: int, call_id: int = 0) -> Call:
    return Call(call_id, name, msgspec.msgpack.encode(Give(profile_id, 7 * MICRO)), "test")


def recorded(world: World) -> list[str]:
    """The raw identities in the log, without their first byte."""
    return sorted(i[1:].decode() for (i,) in world.select("select identity from identities"))


def test_a_bad_row_is_rejected_alone(world: World) -> None:
    profile_id = world.workspace()
    groups = [
        [request(profile_id, f"{caller}{n}", credits_micro=MICRO) for n in range(3)]
        for caller in "abcde"
    ]
    groups[2][1] = groups[2][1]._replace(status_code=BAD_STATUS)
    replies = world.handle(*(record(*rows, call_id=n) for n, rows in enumerate(groups)))
    assert [reply.call_id for reply in replies] == [0, 1, 2, 3, 4]
    told = [reply.rejected for reply in replies if isinstance(reply, Recorded)]
    assert told == [[], [], [(1, ROW_REFUSED.code)], [], []]
    expected = sorted(f"{caller}{n}" for caller in "abcde" for n in range(3))
    assert recorded(world) == [name for name in expected if name != "c1"]
    assert world.balance_micro(profile_id) == (1000 - 14) * MICRO
    assert not differences(world.db)


def test_a_rejected_id_can_be_sent_again_in_order(world: World) -> None:
    profile_id = world.workspace()
    good = request(profile_id, "a")
    (reply,) = world.handle(record(good._replace(status_code=BAD_STATUS)))
    assert counts(reply, 1) == (0, 0, 0, 1)
    assert counts(world.handle(record(good))[0], 1) == (1, 0, 0, 0)


def test_repeats_and_bad_rows_keep_their_indexes(world: World) -> None:
    profile_id = world.workspace()
    world.record([request(profile_id, "old")])
    rows = [
        request(profile_id, "new"),
        request(profile_id, "bad", status_code=BAD_STATUS),
        request(profile_id, "old"),
        request(profile_id, "old", content="other"),
        request(profile_id, "new", salt=b"2"),
        request(profile_id, "bad", status_code=BAD_STATUS, content="other"),
        request(profile_id, "last"),
        request(profile_id, "bad", content="better", salt=b"2"),
        request(profile_id, "bad", content="worse", salt=b"3"),
    ]
    (reply,) = world.handle(record(*rows))
    assert isinstance(reply, Recorded)
    assert reply.duplicates == [2, 4]
    assert reply.conflicts == [3, 8]
    assert reply.rejected == [(1, ROW_REFUSED.code), (5, ROW_REFUSED.code)]
    assert recorded(world) == ["bad", "last", "new", "old"]
    assert not differences(world.db)


def test_a_log_id_that_is_taken_is_the_rows_fault(world: World) -> None:
    """The identity's insertion is undone with the row: the id isn't burnt."""
    profile_id = world.workspace()
    first = request(profile_id, "first")
    world.record([first])
    clash = request(profile_id, "clash")._replace(query_log_id=first.query_log_id)
    reply = world.record([request(profile_id, "good"), clash])
    assert reply.rejected == [(1, ROW_REFUSED.code)]
    assert recorded(world) == ["first", "good"]
    assert not differences(world.db)


def test_an_unforeseen_error_of_one_caller_reaches_no_other(world: World) -> None:
    profile_id = world.workspace()
    nobody = 999
    replies = world.handle(
        record(request(profile_id, "a"), call_id=1),
        record(request(nobody, "b"), call_id=2),
        record(request(profile_id, "c"), call_id=3),
    )
    assert [type(reply) for reply in replies] == [Recorded, Failed, Recorded]
    assert isinstance(replies[1], Failed)
    assert replies[1].code == INTERNAL.code
    assert recorded(world) == ["a", "c"]
    assert not differences(world.db)


def test_a_row_that_takes_a_sum_beyond_64_bits_is_rejected_alone(world: World) -> None:
    profile_id = world.workspace()
    huge = [request(profile_id, f"huge-{n:04}", credits_micro=10**15) for n in range(9_300)]
    first, second = world.handle(record(*huge), record(request(profile_id, "good"), call_id=1))
    # The quarter hour's sum and the ledger's overdraft: whichever is full first.
    fitting = 2**63 // 10**15
    assert counts(first, huge)[0] in range(fitting - 2, fitting + 1)
    assert counts(first, huge)[1:3] == (0, 0)
    assert counts(second, 1) == (1, 0, 0, 0)
    assert isinstance(first, Recorded)
    refused = {index for index, _ in first.rejected}
    assert {f"huge-{n:04}" for n in range(9_300) if n not in refused} | {"good"} == set(
        recorded(world)
    )
    assert not differences(world.db)


def test_a_capture_that_breaks_a_rule_harms_its_own_row_only(world: World) -> None:
    profile_id = world.workspace()
    rows = [request(profile_id, name) for name in "abc"]
    captures = [Capture(profile_id, row.query_log_id, "{}", "", "") for row in rows]
    rows += [request(profile_id, "a", salt=b"2"), request(profile_id, "c", content="other")]
    (reply,) = world.handle(Record(1, rows, [*captures, captures[1]]))
    assert isinstance(reply, Recorded)
    assert reply.rejected == [(1, ROW_REFUSED.code)]
    assert (reply.duplicates, reply.conflicts) == ([3], [4])
    assert recorded(world) == ["a", "c"]
    assert world.select("select count(*) from captures") == [(2,)]


@pytest.mark.parametrize("name", ["test.refuse", "test.break", "no.such.command"])
def test_a_command_that_fails_leaves_nothing_behind(world: World, name: str) -> None:
    profile_id = world.workspace()
    replies = world.handle(
        record(request(profile_id, "a", credits_micro=MICRO), call_id=1),
        call(name, profile_id, 2),
        call("test.give", profile_id, 3),
        record(request(profile_id, "b", credits_micro=1100 * MICRO), call_id=4),
    )
    assert [type(reply) for reply in replies] == [Recorded, Failed, Answered, Recorded]
    assert world.balance_micro(profile_id) == (1000 + 7 - 1101) * MICRO
    assert world.select("select grant_id from grants where kind = 'topup'") == [(2,)]
    assert not differences(world.db)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, int]]:
    with World(tmp_path_factory.mktemp("shared")) as made:
        yield made, made.workspace()


@given(data=st.data(), sizes=st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_wherever_bad_rows_stand_only_they_are_rejected(
    shared: tuple[World, int], data: st.DataObject, sizes: list[int]
) -> None:
    world, profile_id = shared
    world.clock.advance(1)
    places = [(n, index) for n, size in enumerate(sizes) for index in range(size)]
    bad = set(data.draw(st.lists(st.sampled_from(places), max_size=4))) if places else set()
    groups = [
        [
            request(
                profile_id,
                f"{world.now_ms}-{n}-{index}",
                status_code=BAD_STATUS if (n, index) in bad else 200,
                credits_micro=1,
            )
            for index in range(size)
        ]
        for n, size in enumerate(sizes)
    ]
    before = world.balance_micro(profile_id)
    replies = world.handle(*(record(*rows, call_id=n) for n, rows in enumerate(groups)))
    for n, (rows, reply) in enumerate(zip(groups, replies, strict=True)):
        mine = sorted(index for number, index in bad if number == n)
        assert isinstance(reply, Recorded)
        assert reply.rejected == [(index, ROW_REFUSED.code) for index in mine]
        assert counts(reply, rows) == (len(rows) - len(mine), 0, 0, len(mine))
    assert world.balance_micro(profile_id) == before - (len(places) - len(bad))
