"""Cases: random workspaces, requests and questions, with a liking for what is awkward.

Zones have odd offsets and change their clocks; times lie around such a change or around midnight;
requests come late, twice, in any order and in batches of any size.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

QUARTER_MS = 900_000
HOUR_MS = 4 * QUARTER_MS
DAY_MS = 24 * HOUR_MS
FIRST_MS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1000
LAST_MS = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) * 1000

ZONES = (
    "Asia/Kathmandu",  # +5:45
    "Asia/Kolkata",  # +5:30
    "Australia/Lord_Howe",  # its clocks change by half an hour
    "America/St_Johns",  # -3:30
    "Pacific/Chatham",  # +12:45
    "Australia/Eucla",  # +8:45
    "Pacific/Marquesas",  # -9:30
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # its clocks change at midnight
    "Asia/Beirut",  # as above
    "Africa/Casablanca",  # as Ramadan has it
    "Africa/Cairo",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
)


class Event(NamedTuple):
    """A request: `key` and `slug` by index, `offset_ms` from the case's anchor."""

    key: int
    slug: int
    channel: str
    credits_micro: int
    offset_ms: int


class Question(NamedTuple):
    """What is asked: dates by days from the anchor; `key_names` and `slugs` by index."""

    start: int
    end: int
    key_names: list[int] | None
    slugs: list[int] | None
    fill_gaps: bool


class Case(NamedTuple):
    """One workspace and what happens in it."""

    timezone: str
    anchor_ms: int
    is_sharing: bool
    events: list[Event]
    order: list[int]
    batch_sizes: list[int]
    questions: list[Question]
    now_offset_ms: int


KEYS = 4
SLUGS = 4  # with the unmapped one

_offsets = st.one_of(
    st.integers(-3 * DAY_MS, 3 * DAY_MS),
    st.integers(-40 * DAY_MS, 40 * DAY_MS),
    st.builds(
        lambda quarters, ms: quarters * QUARTER_MS + ms,
        st.integers(-200, 200),
        st.sampled_from((-1, 0, 1)),
    ),
)
_credits = st.one_of(
    st.just(0),
    st.integers(1, 30).map(lambda credits: credits * 1_000_000),
    st.integers(1, 10_000_000),
)
events = st.builds(
    Event,
    st.integers(0, KEYS - 1),
    st.integers(0, SLUGS - 1),
    st.sampled_from(("api", "api", "portal", "self")),
    _credits,
    _offsets,
)
questions = st.builds(
    lambda start, length, key_names, slugs, fill_gaps: Question(
        start, start + length, key_names, slugs, fill_gaps
    ),
    st.one_of(st.integers(-4, 1), st.integers(-45, 10)),
    st.one_of(st.integers(0, 8), st.integers(0, 90)),
    # 0 to 3 name keys by id, from 4 on by mask; the last is unknown.
    st.one_of(st.none(), st.lists(st.integers(0, 2 * KEYS), max_size=4)),
    # The last is unknown.
    st.one_of(st.none(), st.lists(st.integers(0, SLUGS), max_size=3)),
    st.booleans(),
)
timezones = st.sampled_from(ZONES)


@st.composite
def cases(draw: st.DrawFn, timezone: str | None = None) -> Case:
    """A case in a zone, or in any."""
    timezone = draw(timezones) if timezone is None else timezone
    anchors: st.SearchStrategy[int] = st.integers(FIRST_MS, LAST_MS)
    changes = clock_changes(timezone)
    if changes:
        anchors = st.one_of(anchors, st.sampled_from(changes))
    found = draw(st.one_of(st.lists(events, min_size=6, max_size=30), st.lists(events)))
    # Every event at least once, some of them again.
    again = draw(st.lists(st.integers(0, max(0, len(found) - 1)), max_size=6)) if found else []
    return Case(
        timezone,
        draw(anchors),
        draw(st.booleans()),
        found,
        draw(st.permutations([*range(len(found)), *again])),
        draw(st.lists(st.integers(1, 12), min_size=1, max_size=6)),
        draw(st.lists(questions, min_size=1, max_size=3)),
        draw(_offsets),
    )


@lru_cache
def clock_changes(timezone: str) -> list[int]:
    """The instants, to the hour, at which a zone's clocks are changed."""
    zone = ZoneInfo(timezone)
    at = datetime.fromtimestamp(FIRST_MS // 1000, UTC)
    found = []
    while at.timestamp() * 1000 < LAST_MS:
        after = at + timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found.append(int(after.timestamp()) * 1000)
        at = after
    return found


def local_date(case: Case, timezone: str, days: int) -> date:
    """The date some days from a case's anchor."""
    anchor = datetime.fromtimestamp(case.anchor_ms // 1000, ZoneInfo(timezone)).date()
    return anchor + timedelta(days=days)
