"""What the tests of the core draw from: zones, instants, and how hard to try."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files

from hypothesis import settings
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS

# The first look at a zone reads a file, so no example has a deadline.
thorough = settings(deadline=None, max_examples=300)
quick = settings(deadline=None, max_examples=100)

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


def timezones() -> st.SearchStrategy[str]:
    """A timezone, often a peculiar one."""
    return st.sampled_from(PECULIAR) | st.sampled_from(distinct_zones())


def instants() -> st.SearchStrategy[int]:
    """An instant from 2023 to 2037, often the edge of a quarter hour."""
    quarters = st.integers(FIRST_MS // QUARTER_MS, END_MS // QUARTER_MS - 1)
    edges = st.builds(lambda q, by: q * QUARTER_MS + by, quarters, st.sampled_from((-1, 0, 1)))
    return st.integers(FIRST_MS, END_MS - 1) | edges
