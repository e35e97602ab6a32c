"""Recording: each request exactly once, whatever the order, the batches and the repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE
from farebox.core.request import Capture, Channel, MeteredRequest
from farebox.engine.messages import Record, Recorded
from tests.support.harness import START_MS
from tests.support.homes import ENGINE_DRAWN, Home, Homes
from tests.support.truth import differences, digest
from tests.support.worlds import MICRO, People, World, counts, record, request


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


def logged(world: World, profile_id: int) -> int:
    ((count,),) = world.select("select count(*) from requests where profile_id = ?", profile_id)
    assert isinstance(count, int)
    return count


def test_a_repeat_in_one_record_is_a_duplicate(world: World) -> None:
    profile_id = world.workspace()
    rows = [request(profile_id, "a"), request(profile_id, "b"), request(profile_id, "a", salt=b"2")]
    (reply,) = world.handle(record(*rows))
    assert counts(reply, rows) == (2, 1, 0, 0)
    assert world.record(rows).duplicates == [0, 1, 2]
    assert logged(world, profile_id) == 2
    assert not differences(world.db)


def test_a_repeat_in_another_record_of_the_same_commit_is_a_duplicate(world: World) -> None:
    profile_id = world.workspace()
    first, second = world.handle(
        record(request(profile_id, "a", credits_micro=MICRO), call_id=7),
        record(
            request(profile_id, "b", credits_micro=MICRO),
            request(profile_id, "a", credits_micro=MICRO, salt=b"retry"),
            call_id=8,
        ),
    )
    assert counts(first, 1) == (1, 0, 0, 0)
    assert counts(second, 2) == (1, 1, 0, 0)
    assert isinstance(second, Recorded)
    assert second.duplicates == [1]
    assert [first.call_id, second.call_id] == [7, 8]
    assert world.balance_micro(profile_id) == (1000 - 2) * MICRO
    assert not differences(world.db)


def test_a_repeat_in_another_commit_or_after_a_restart_is_a_duplicate(world: World) -> None:
    profile_id = world.workspace()
    row = request(profile_id, "a", credits_micro=5 * MICRO)
    assert counts(world.handle(record(row))[0], 1) == (1, 0, 0, 0)
    assert counts(world.handle(record(row))[0], 1) == (0, 1, 0, 0)
    world.reopen()
    assert counts(world.handle(record(row))[0], 1) == (0, 1, 0, 0)
    assert world.balance_micro(profile_id) == 995 * MICRO
    assert not differences(world.db)


def test_a_conflict_changes_nothing(world: World) -> None:
    profile_id = world.workspace()
    world.handle(record(request(profile_id, "a", content="first", credits_micro=MICRO)))
    before = digest(world.db)
    other = request(profile_id, "a", content="other", credits_micro=9 * MICRO, salt=b"2")
    (reply,) = world.handle(record(other, request(profile_id, "a", content="first", salt=b"3")))
    assert counts(reply, 2) == (0, 1, 1, 0)
    assert digest(world.db) == before


def test_of_two_contents_in_one_record_the_first_counts(world: World) -> None:
    profile_id = world.workspace()
    rows = [request(profile_id, "a", content=text, salt=text.encode()) for text in "xyx"]
    reply = world.record(rows)
    assert (reply.conflicts, reply.duplicates) == ([1], [2])
    ((kept,),) = world.select("select query_log_id from requests")
    assert kept == rows[0].query_log_id


def test_the_same_id_elsewhere_is_another_request(world: World) -> None:
    here, there = world.workspace(), world.workspace()
    rows = [request(here, "a"), request(there, "a"), request(here, "a", source="gateway")]
    assert counts(world.handle(record(*rows))[0], rows) == (3, 0, 0, 0)
    assert (logged(world, here), logged(world, there)) == (2, 1)
    assert not differences(world.db)


def test_an_empty_record_is_answered_and_changes_nothing(world: World) -> None:
    profile_id = world.workspace()
    before = digest(world.db)
    assert counts(world.handle(record())[0], 0) == (0, 0, 0, 0)
    assert digest(world.db) == before
    assert logged(world, profile_id) == 0


def test_a_duplicates_capture_is_not_kept(world: World) -> None:
    profile_id = world.workspace()
    first = request(profile_id, "a")
    fresh, again = request(profile_id, "b"), request(profile_id, "a", salt=b"2")
    for rows in ([first], [fresh, again], [again]):
        captures = [Capture(profile_id, row.query_log_id, "{}", "body", "") for row in rows]
        world.handle(Record(0, rows, captures))
    kept = {query_log_id for (query_log_id,) in world.select("select query_log_id from captures")}
    assert kept == {first.query_log_id, fresh.query_log_id}


class Event(NamedTuple):
    """A request as it happened, whoever tells of it, and how often."""

    workspace: int
    request_id: int
    key: int
    log_type: int
    channel: Channel
    credits_micro: int
    minutes_back: int
    is_import: bool

    def row(self, people: People, salt: bytes) -> MeteredRequest:
        return request(
            people.profile_ids[self.workspace],
            f"event-{self.request_id}",
            key_id=people.key_ids[self.workspace][self.key],
            log_type_id=(0, *people.log_type_ids)[self.log_type],
            channel=self.channel,
            credits_micro=self.credits_micro,
            time_ms=START_MS - self.minutes_back * MS_PER_MINUTE,
            salt=salt,
        )


events = st.builds(
    Event,
    workspace=st.integers(0, 1),
    request_id=st.integers(0, 40),
    key=st.integers(0, 1),
    log_type=st.integers(0, 2),
    channel=st.sampled_from(("api", "portal", "self")),
    credits_micro=st.integers(0, 400 * MICRO) | st.just(0),
    minutes_back=st.integers(0, 20) | st.integers(0, 90 * MS_PER_DAY // MS_PER_MINUTE),
    is_import=st.booleans(),
)
histories = st.lists(
    events, min_size=1, max_size=25, unique_by=lambda e: (e.workspace, e.request_id)
)


@pytest.fixture(scope="module")
def populated(homes: Homes) -> Callable[[str], tuple[Home, People]]:
    @cache
    def populated_of(engine: str) -> tuple[Home, People]:
        home = homes.new(engine)
        with World(home) as world:
            people = world.populate()
            world.give(people.profile_ids[0], 50 * MICRO, expires_at_ms=START_MS + MS_PER_DAY)
        return home, people

    return populated_of


def told(base: Home, people: People, commits: Sequence[Sequence[Sequence[Event]]]) -> object:
    """The state after some commits of some records; the same events lead to the same state."""
    with closing(base.copy()) as home, World(home) as world:
        salt = 0
        for records in commits:
            messages = []
            for rows in records:
                salt += 1
                for is_import in (False, True):
                    mine = [e for e in rows if e.is_import is is_import]
                    made = [e.row(people, bytes([salt, n])) for n, e in enumerate(mine)]
                    messages.append(record(*made, is_import=is_import))
            for message, reply in zip(messages, world.handle(*messages), strict=True):
                assert counts(reply, message.rows)[2:] == (0, 0)
        assert not differences(world.db)
        return digest(world.db)


Item = TypeVar("Item")


def cut(items: Sequence[Item], places: Sequence[int]) -> list[Sequence[Item]]:
    """The items in pieces, cut at some places; a piece may be empty."""
    edges = [0, *sorted(places), len(items)]
    return [items[start:end] for start, end in pairwise(edges)]


@given(engine=ENGINE_DRAWN, history=histories, data=st.data())
@settings(max_examples=60)
def test_order_batching_and_repetition_change_nothing(
    populated: Callable[[str], tuple[Home, People]],
    engine: str,
    history: list[Event],
    data: st.DataObject,
) -> None:
    base, people = populated(engine)
    one_by_one = told(base, people, [[[event]] for event in history])
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=15))
    shuffled = data.draw(st.permutations(repeated))
    records = cut(shuffled, data.draw(st.lists(st.integers(0, len(shuffled)), max_size=8)))
    commits = cut(records, data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
    assert told(base, people, commits) == one_by_one
