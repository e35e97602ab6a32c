"""What the tests of the core draw from: zones, instants, and how hard to try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS

# The first look at a zone reads a file, so no example has a deadline.
thorough = settings(deadline=None, max_examples=300)
quick = settings(deadline=None, max_examples=100)

DAY_SECONDS = 86_400
YEARS = (2023, 2038)
FIRST_MS = int(datetime(YEARS[0], 1, 1, tzinfo=UTC).timestamp()) * 1_000
END_MS = int(datetime(YEARS[1], 1, 1, tzinfo=UTC).timestamp()) * 1_000

# Half and quarter hour offsets, a half hour of summer time, and midnights that don't exist or
# come twice.
PECULIAR = (
    "Africa/Cairo",
    "America/Havana",
    "America/Nuuk",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
)


@cache
def distinct_zones() -> tuple[str, ...]:
    """One name for each of tzdata's distinct zones; most names are aliases."""
    package = files("tzdata")
    names = package.joinpath("zones").read_text().split()
    by_content = {
        sha256(package.joinpath("zoneinfo", name).read_bytes()).digest(): name
        for name in sorted(names)
    }
    return tuple(sorted(by_content.values()))


@cache
def clock_changes(name: str, first_ms: int = FIRST_MS, end_ms: int = END_MS) -> tuple[int, ...]:
    """The instants at which a zone's offset changes: looked for every two days."""
    zone = ZoneInfo(name)

    def offset(seconds: int) -> timedelta | None:
        return datetime.fromtimestamp(seconds, zone).utcoffset()

    found = []
    for start in range(first_ms // 1_000, end_ms // 1_000, 2 * DAY_SECONDS):
        low, high = start, start + 2 * DAY_SECONDS
        while offset(low) != offset(high) and high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        if offset(low) != offset(high):
            found.append(high * 1_000)
    return tuple(found)


def timezones() -> st.SearchStrategy[str]:
    """A timezone, often a peculiar one."""
    return st.sampled_from(PECULIAR) | st.sampled_from(distinct_zones())


def instants() -> st.SearchStrategy[int]:
    """An instant from 2023 to 2037, often the edge of a quarter hour."""
    quarters = st.integers(FIRST_MS // QUARTER_MS, END_MS // QUARTER_MS - 1)
    return st.integers(FIRST_MS, END_MS - 1) | st.builds(_near, quarters, _millisecond_off)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A timezone and an instant, often within hours of a change of its clocks."""
    name = draw(timezones())
    changes = clock_changes(name)
    if not changes or draw(st.booleans()):
        return name, draw(instants())
    quarter = draw(st.sampled_from(changes)) // QUARTER_MS + draw(st.integers(-8, 8))
    return name, _near(quarter, draw(_millisecond_off))


_millisecond_off = st.sampled_from((-1, 0, 1)) | st.integers(-QUARTER_MS, QUARTER_MS)


def _near(quarter: int, off_ms: int) -> int:
    return quarter * QUARTER_MS + off_ms
