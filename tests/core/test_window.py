"""Windows: natural ones against brute force, and through any chain of changes of zone."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import (
    QUARTER_MS,
    Window,
    WindowKind,
    ZoneSince,
    bridge,
    natural_window,
    window_at,
    zone_of,
)
from tests.core.strategies import moments, quick, thorough, timezones

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
KINDS: tuple[WindowKind, ...] = get_args(WindowKind)
kinds = st.sampled_from(KINDS)
LENGTHS_MS: dict[WindowKind, tuple[int, int]] = {
    "second": (1_000, 1_000),
    "minute": (MINUTE_MS, MINUTE_MS),
    "hour": (HOUR_MS, HOUR_MS),
    "day": (DAY_MS, DAY_MS),
    "month": (28 * DAY_MS, 31 * DAY_MS),
}
# What changes of clock add or take: an hour on Chatham may last 15 minutes.
SLACK_MS: dict[WindowKind, int] = {
    "second": 0,
    "minute": 0,
    "hour": HOUR_MS // 4,
    "day": 3 * HOUR_MS,
    "month": 3 * HOUR_MS,
}


@st.composite
def zone_chains(draw: st.DrawFn) -> list[ZoneSince]:
    """A workspace's zones: changes from minutes to months apart."""
    name, first_ms = draw(moments())
    gaps = st.integers(0, 4 * HOUR_MS) | st.integers(0, 3 * DAY_MS) | st.integers(0, 90 * DAY_MS)
    gaps_ms = draw(st.lists(gaps, max_size=5))
    starts_ms = accumulate([first_ms, *gaps_ms])
    names = [name, *(draw(timezones()) for _ in gaps_ms)]
    return [
        ZoneSince(*since) for since in zip(starts_ms, draw(st.permutations(names)), strict=True)
    ]


def local(ms: int, name: str) -> datetime:
    return datetime.fromtimestamp(ms // 1_000, zone_of(name))


def hour_pair(ms: int, name: str) -> tuple[timedelta | None, str]:
    """What makes an hour one: its offset and the hour on the wall."""
    at = local(ms, name)
    return at.utcoffset(), f"{at:%Y-%m-%d %H}"


@given(moments())
@thorough
def test_an_hour_is_a_pair_of_offset_and_local_hour(moment: tuple[str, int]) -> None:
    name, ms = moment
    pair = hour_pair(ms, name)
    first = end = ms // QUARTER_MS
    while hour_pair((first - 1) * QUARTER_MS, name) == pair:
        first -= 1
    while hour_pair(end * QUARTER_MS, name) == pair:
        end += 1
    assert natural_window("hour", ms, zone_of(name)) == (first * QUARTER_MS, end * QUARTER_MS)
    assert 15 * MINUTE_MS <= (end - first) * QUARTER_MS <= HOUR_MS


@pytest.mark.parametrize(
    ("timezone", "utc", "minutes"),
    [
        # At two o'clock summer time the clock goes back to half past one, and in spring from two
        # to half past two.
        ("Australia/Lord_Howe", "2026-04-04T14:59:59+00:00", 60),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00", 30),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00+00:00", 30),
        ("Australia/Lord_Howe", "2026-10-03T16:00:00+00:00", 60),
        # At a quarter to four the clock goes back to a quarter to three.
        ("Pacific/Chatham", "2026-04-04T13:59:59+00:00", 45),
        ("Pacific/Chatham", "2026-04-04T14:00:00+00:00", 15),
        ("Pacific/Chatham", "2026-04-04T14:15:00+00:00", 60),
    ],
)
def test_a_change_of_clock_inside_an_hour_splits_it(timezone: str, utc: str, minutes: int) -> None:
    ms = int(datetime.fromisoformat(utc).timestamp()) * 1_000
    window = natural_window("hour", ms, zone_of(timezone))
    assert window.end_ms - window.start_ms == minutes * MINUTE_MS


@given(moments())
@thorough
def test_a_day_is_the_date_on_the_wall(moment: tuple[str, int]) -> None:
    name, ms = moment
    start_ms, end_ms = natural_window("day", ms, zone_of(name))
    assert start_ms <= ms < end_ms
    today = local(ms, name).date()
    assert local(start_ms, name).date() == local(end_ms - 1, name).date() == today
    assert local(start_ms - 1, name).date() < today < local(end_ms, name).date()


@given(moments(), st.integers(1, 31) | st.integers(28, 31))
@thorough
def test_a_period_begins_on_its_anchor_day_or_the_last_of_the_month(
    moment: tuple[str, int], anchor_day: int
) -> None:
    name, ms = moment
    window = natural_window("month", ms, zone_of(name), anchor_day=anchor_day)
    assert window.start_ms <= ms < window.end_ms
    for edge_ms in window:
        at = local(edge_ms, name)
        assert at.day == min(anchor_day, monthrange(at.year, at.month)[1])
        assert local(edge_ms - 1, name).date() < at.date()
    first, end = local(window.start_ms, name), local(window.end_ms, name)
    assert end.year * 12 + end.month == first.year * 12 + first.month + 1


def test_a_period_anchored_on_the_31st_passes_through_february() -> None:
    zone = zone_of("Europe/Berlin")
    ms = int(datetime.fromisoformat("2027-12-31T12:00:00+00:00").timestamp()) * 1_000
    starts = []
    for _ in range(5):
        window = natural_window("month", ms, zone, anchor_day=31)
        starts.append(f"{local(window.start_ms, 'Europe/Berlin'):%Y-%m-%d %H:%M}")
        ms = window.end_ms
    assert starts == [
        "2027-12-31 00:00",
        "2028-01-31 00:00",
        "2028-02-29 00:00",
        "2028-03-31 00:00",
        "2028-04-30 00:00",
    ]


@given(kinds, moments(), st.integers(1, 31))
@thorough
def test_natural_windows_tile_the_line(
    kind: WindowKind, moment: tuple[str, int], anchor_day: int
) -> None:
    name, ms = moment
    zone = zone_of(name)
    window = natural_window(kind, ms, zone, anchor_day=anchor_day)
    assert window.start_ms <= ms < window.end_ms
    for inside_ms in (window.start_ms, window.end_ms - 1):
        assert natural_window(kind, inside_ms, zone, anchor_day=anchor_day) == window
    before = natural_window(kind, window.start_ms - 1, zone, anchor_day=anchor_day)
    after = natural_window(kind, window.end_ms, zone, anchor_day=anchor_day)
    assert before.end_ms == window.start_ms
    assert after.start_ms == window.end_ms


@given(kinds, moments(), st.integers(1, 31))
@thorough
def test_a_bridge_ends_at_the_boundary_of_the_new_zone_that_makes_it_long_enough(
    kind: WindowKind, moment: tuple[str, int], anchor_day: int
) -> None:
    name, ms = moment
    zone = zone_of(name)
    window = bridge(kind, ms, zone, anchor_day=anchor_day)
    assert window.start_ms == ms < window.end_ms
    around = natural_window(kind, ms, zone, anchor_day=anchor_day)
    following = natural_window(kind, around.end_ms, zone, anchor_day=anchor_day)
    remains_ms = around.end_ms - ms
    is_half_left = 2 * remains_ms >= around.end_ms - around.start_ms
    assert window.end_ms == (around if is_half_left else following).end_ms


@given(kinds, moments(), st.integers(1, 31))
@quick
def test_a_bridge_from_a_boundary_is_the_natural_window(
    kind: WindowKind, moment: tuple[str, int], anchor_day: int
) -> None:
    name, ms = moment
    zone = zone_of(name)
    natural = natural_window(kind, ms, zone, anchor_day=anchor_day)
    assert bridge(kind, natural.start_ms, zone, anchor_day=anchor_day) == natural


@given(kinds, zone_chains(), st.data())
@thorough
def test_windows_tile_the_line_through_any_changes_of_zone(
    kind: WindowKind, zones: list[ZoneSince], data: st.DataObject
) -> None:
    for window, following in walked(kind, zones):
        assert following.start_ms == window.end_ms
        inside_ms = data.draw(st.integers(window.start_ms, window.end_ms - 1))
        for ms in (window.start_ms, inside_ms, window.end_ms - 1):
            assert window_at(kind, ms, zones) == window


@given(kinds, zone_chains())
@thorough
def test_a_window_ends_at_a_boundary_of_the_zone_in_which_it_opened(
    kind: WindowKind, zones: list[ZoneSince]
) -> None:
    for window, _ in walked(kind, zones):
        opened_in = [z for z in zones if z.from_ms <= window.start_ms] or zones[:1]
        zone = zone_of(opened_in[-1].timezone)
        assert natural_window(kind, window.end_ms, zone).start_ms == window.end_ms


@given(kinds, zone_chains())
@thorough
def test_no_change_of_zone_makes_a_window_too_short_or_too_long(
    kind: WindowKind, zones: list[ZoneSince]
) -> None:
    for window, _ in walked(kind, zones):
        assert is_long_enough(kind, window)


@given(kinds, zone_chains(), timezones())
@thorough
def test_a_change_of_zone_closes_no_open_window(
    kind: WindowKind, zones: list[ZoneSince], new_timezone: str
) -> None:
    at_ms = zones[-1].from_ms + DAY_MS
    open_then = window_at(kind, at_ms - 1, zones)
    changed = [*zones, ZoneSince(at_ms, new_timezone)]
    for ms in (open_then.start_ms, at_ms - 1, open_then.end_ms - 1):
        assert window_at(kind, ms, changed) == open_then
    after = window_at(kind, open_then.end_ms, changed)
    assert after == bridge(kind, open_then.end_ms, zone_of(new_timezone))


def test_a_change_at_a_boundary_counts_for_the_window_that_opens_there() -> None:
    noon_ms = int(datetime.fromisoformat("2026-05-05T12:00:00+00:00").timestamp()) * 1_000
    zones = [ZoneSince(0, "UTC"), ZoneSince(noon_ms, "Asia/Kathmandu")]
    assert window_at("hour", noon_ms - 1, zones) == (noon_ms - HOUR_MS, noon_ms)
    assert window_at("hour", noon_ms, zones) == (noon_ms, noon_ms + 75 * MINUTE_MS)


def test_a_change_just_after_a_boundary_closes_not_the_window_that_opened_there() -> None:
    noon_ms = int(datetime.fromisoformat("2026-05-05T12:00:00+00:00").timestamp()) * 1_000
    zones = [ZoneSince(0, "UTC"), ZoneSince(noon_ms + 1, "Asia/Kathmandu")]
    for ms in (noon_ms, noon_ms + 1, noon_ms + HOUR_MS - 1):
        assert window_at("hour", ms, zones) == (noon_ms, noon_ms + HOUR_MS)


def test_a_workspace_may_change_its_zone_any_number_of_times() -> None:
    names = ("Europe/Berlin", "Asia/Kathmandu")
    zones = [ZoneSince(hour * HOUR_MS, names[hour % 2]) for hour in range(3_000)]
    window = window_at("day", 3_000 * HOUR_MS, zones)
    assert window.start_ms <= 3_000 * HOUR_MS < window.end_ms
    assert is_long_enough("day", window)


def walked(kind: WindowKind, zones: list[ZoneSince]) -> Iterator[tuple[Window, Window]]:
    """The windows around each change of zone, each with the one that follows it."""
    for since in zones:
        window = window_at(kind, since.from_ms, zones)
        window = window_at(kind, window.start_ms - 1, zones)
        for _ in range(4):
            following = window_at(kind, window.end_ms, zones)
            yield window, following
            window = following


def is_long_enough(kind: WindowKind, window: Window) -> bool:
    """Whether a window lasts from half to one and a half of its kind, clock changes aside."""
    shortest_ms, longest_ms = LENGTHS_MS[kind]
    slack_ms = SLACK_MS[kind]
    length_ms = window.end_ms - window.start_ms
    return shortest_ms // 2 - slack_ms <= length_ms <= longest_ms * 3 // 2 + slack_ms
