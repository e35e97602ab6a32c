"""Ingest: minutes and hours say what was recorded then, whoever recorded it."""

from __future__ import annotations

import pytest

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE
from farebox.service.ingest import MINUTES_KEPT, read_ingest
from tests.support.busy import Busy
from tests.support.harness import Harness
from tests.support.homes import Home
from tests.support.worlds import World

MICRO = 1_000_000


def test_what_was_recorded_is_told_by_minute_and_hour(harness: Harness) -> None:
    empty = read_ingest(harness.reader, harness.now_ms)
    assert (len(empty.minutes), len(empty.hours)) == (60, 24)
    assert {part.requests for part in (*empty.minutes, *empty.hours)} == {0}
    profile_id, other = harness.workspace(), harness.workspace()
    key_id, other_key = harness.key(profile_id), harness.key(other)
    first = harness.row(profile_id, key_id, credits_micro=MICRO)
    harness.record([first, harness.row(other, other_key, credits_micro=2 * MICRO)])
    harness.advance(minutes=59)
    # It counts by its commit, whatever its own time; what is known already counts nothing.
    yesterday = harness.row(profile_id, key_id, time_ms=harness.now_ms - MS_PER_DAY)
    harness.record([first, yesterday])
    found = read_ingest(harness.reader, harness.now_ms)
    counted = [(p.requests, p.credits_micro) for p in found.minutes if p.requests]
    assert counted == [(2, 3 * MICRO), (1, 0)]
    assert (found.minutes[0].requests, found.minutes[-1].requests) == (2, 1)
    assert found.minutes[-1].start_ms == harness.now_ms // MS_PER_MINUTE * MS_PER_MINUTE
    assert (found.hours[-1].requests, found.hours[-1].credits_micro) == (3, 3 * MICRO)
    harness.advance(hours=23)
    assert read_ingest(harness.reader, harness.now_ms).hours[0].requests == 3
    harness.advance(hours=1)
    assert read_ingest(harness.reader, harness.now_ms) == _empty_at(harness)


def _empty_at(harness: Harness) -> object:
    with_nothing = read_ingest(harness.reader, harness.now_ms)
    assert {part.requests for part in (*with_nothing.minutes, *with_nothing.hours)} == {0}
    return with_nothing


@pytest.mark.parametrize("seed", range(2))
def test_minutes_add_up_to_what_was_charged(home: Home, seed: int) -> None:
    with World(home, seed=seed) as world:
        Busy(world, seed).run(40)
        minutes_of_quarter = QUARTER_MS // MS_PER_MINUTE
        ingested = world.select(
            "select minute / ?, sum(requests), sum(credits_micro) from ingest_minutes"
            " group by 1 order by 1",
            minutes_of_quarter,
        )
        charged = world.select(
            "select quarter, sum(requests), sum(credits_micro) from charges group by 1 order by 1"
        )
        assert [tuple(map(int, row)) for row in ingested] == [
            tuple(map(int, row)) for row in charged
        ]
        assert ingested


def test_minutes_are_forgotten_when_nobody_looks_at_them(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    for _ in range(2):
        harness.record([harness.row(profile_id, key_id)])
        harness.advance(days=2, minutes=1)
    before_minute = harness.now_ms // MS_PER_MINUTE - MINUTES_KEPT - 1
    harness.call("ingest.forget", before_minute=before_minute)
    assert harness.select("select count(*) from ingest_minutes") == [(1,)]
