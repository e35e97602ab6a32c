"""Refusals: a tally is a sum, and of the newest each workspace keeps its share."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS
from farebox.core.refusal import NewestRefusals, Refusal, RefusalTally
from tests.support.harness import START_MS
from tests.support.refused import refusal

some = st.builds(
    refusal,
    st.integers(0, 2),
    st.sampled_from(["key_a", "key_b", ""]),
    time_ms=st.integers(START_MS, START_MS + 3 * QUARTER_MS),
    denied_by=st.sampled_from(["hour", "credits"]),
    is_shadow=st.booleans(),
)


@given(st.lists(some, max_size=50), st.randoms(use_true_random=False))
def test_a_tally_is_what_counting_one_by_one_gives_in_any_order(
    refusals: list[Refusal], chance: Random
) -> None:
    tally, shuffled = RefusalTally(1_000), RefusalTally(1_000)
    for each in refusals:
        assert tally.add(each)
    chance.shuffle(refusals)
    for each in refusals:
        assert shuffled.add(each)
    assert shuffled.sums() == tally.sums()
    counted = Counter(
        (r.profile_id, r.time_ms // QUARTER_MS, r.key_id, r.denied_by, r.is_shadow)
        for r in refusals
    )
    assert {row[:5]: row.refusals for row in tally.sums()} == counted
    for row in tally.sums():
        times = [r.time_ms for r in refusals if r.time_ms // QUARTER_MS == row.quarter]
        assert row.last_ms in times


def test_the_last_time_of_a_sum_is_the_latest() -> None:
    tally = RefusalTally(10)
    for time_ms in (START_MS + 2, START_MS + 5, START_MS):
        tally.add(refusal(time_ms=time_ms))
    assert [(row.refusals, row.last_ms) for row in tally.sums()] == [(3, START_MS + 5)]


def test_a_tally_without_room_goes_on_with_the_sums_it_has() -> None:
    tally = RefusalTally(2)
    assert tally.add(refusal(1))
    assert tally.add(refusal(2))
    assert not tally.add(refusal(3))
    assert len(tally) == 2
    assert tally.add(refusal(1))
    assert [(row.profile_id, row.refusals) for row in tally.sums()] == [(1, 2), (2, 1)]


def test_a_workspace_keeps_its_newest() -> None:
    newest = NewestRefusals(3, 100)
    for number in range(10):
        newest.add(refusal(1, time_ms=START_MS + number))
    newest.add(refusal(2, time_ms=START_MS))
    kept = [(each.profile_id, each.time_ms - START_MS) for each in newest.take()]
    assert kept == [(2, 0), (1, 7), (1, 8), (1, 9)]
    assert newest.take() == []


def test_a_flood_takes_from_itself_and_not_from_another() -> None:
    newest = NewestRefusals(1_000, 100)
    newest.add(refusal(1))
    for number in range(10_000):
        newest.add(refusal(2, time_ms=START_MS + number))
        assert len(newest) <= 100
    kept = newest.take()
    assert [each.profile_id for each in kept].count(1) == 1
    assert kept[-1].time_ms == START_MS + 9_999
    times = [each.time_ms for each in kept if each.profile_id == 2]
    assert times == list(range(times[0], times[-1] + 1)), "they are the newest without a gap"


def test_a_flood_among_many_workspaces_keeps_its_share_and_is_not_halved_again() -> None:
    newest = NewestRefusals(1_000, 100)
    for profile_id in range(90):
        newest.add(refusal(profile_id))
    for number in range(1, 60):
        newest.add(refusal(99, time_ms=START_MS + number))
        # Once it was halved: to 5 when the 11th came.
        assert len(newest) == 90 + (number if number <= 10 else min(10, number - 5))
    times = [each.time_ms - START_MS for each in newest.take() if each.profile_id == 99]
    assert times == list(range(50, 60))


def test_more_workspaces_than_there_is_room_for_stay_within_the_bound() -> None:
    newest = NewestRefusals(1_000, 100)
    for number in range(10_000):
        newest.add(refusal(number % 500, time_ms=START_MS + number))
        assert len(newest) <= 100
    kept = newest.take()
    assert len(kept) == len({each.profile_id for each in kept}) == 100
    assert min(each.time_ms for each in kept) >= START_MS + 9_500, "each kept its newest"


@given(st.lists(st.integers(0, 40), max_size=400), st.integers(1, 20), st.integers(1, 30))
def test_the_newest_never_exceed_their_bounds(
    profile_ids: list[int], of_workspace_max: int, refusals_max: int
) -> None:
    newest = NewestRefusals(of_workspace_max, refusals_max)
    for number, profile_id in enumerate(profile_ids):
        newest.add(refusal(profile_id, time_ms=START_MS + number))
        assert len(newest) <= refusals_max
    kept = newest.take()
    assert len(kept) <= min(refusals_max, len(profile_ids))
    assert max(Counter(each.profile_id for each in kept).values(), default=0) <= of_workspace_max
    last = {profile_id: number for number, profile_id in enumerate(profile_ids)}
    for profile_id in {each.profile_id for each in kept}:
        times = [each.time_ms for each in kept if each.profile_id == profile_id]
        assert times[-1] == START_MS + last[profile_id], "whoever has any has its last"
