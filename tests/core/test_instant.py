"""Instants: RFC 3339 there and back, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.instant import (
    MS_PER_DAY,
    MS_PER_HOUR,
    MS_PER_MINUTE,
    MS_PER_SECOND,
    parse_rfc3339,
    to_iso_ms,
    to_iso_seconds,
    to_local_stamp,
)
from tests.core.strategies import thorough, timezones

ERA_MS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1_000
instants = st.integers(0, ERA_MS)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(instants)
@thorough
def test_a_stamp_gives_its_instant_back(ms: int) -> None:
    assert parse_rfc3339(to_iso_ms(ms)) == ms
    assert parse_rfc3339(to_iso_seconds(ms)) == ms - ms % 1_000


@given(st.integers(86_400_000, ERA_MS - 86_400_000), offsets, st.sampled_from("Tt "))
@thorough
def test_a_stamp_of_any_offset_is_the_same_instant(ms: int, minutes: int, separator: str) -> None:
    zone = timezone(timedelta(minutes=minutes))
    local = datetime.fromtimestamp(ms // 1_000, UTC).astimezone(zone)
    stamp = local.replace(microsecond=ms % 1_000 * 1_000).isoformat(separator, "milliseconds")
    assert parse_rfc3339(stamp) == ms


@given(instants, st.text("0123456789", max_size=30))
@thorough
def test_digits_past_the_millisecond_are_dropped(ms: int, digits: str) -> None:
    assert parse_rfc3339(to_iso_ms(ms).replace("Z", digits + "z")) == ms


@pytest.mark.parametrize(
    ("stamp", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.1Z", 100),
        ("1970-01-01T05:45:00.001+05:45", 1),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2024-02-29t12:00:00-00:00", 1_709_208_000_000),
    ],
)
def test_a_stamp_is_read_to_the_millisecond(stamp: str, ms: int) -> None:
    assert parse_rfc3339(stamp) == ms


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "2026-05-01",
        "2026-05-01T12:00:00",
        "2026-05-01T12:00Z",
        "2026-05-01T24:00:00Z",
        "2026-05-01T12:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-05-01T12:00:00.Z",
        "2026-05-01T12:00:00,5Z",
        "2026-05-01T12:00:00+24:00",
        "2026-05-01T12:00:00+10:75",
        "2026-05-01T12:00:00+0200",
        "2026-W18-5T12:00:00Z",
        " 2026-05-01T12:00:00Z",
        "2026-05-01T12:00:00Z\n",
        "\uff12026-05-01T12:00:00Z",
    ],
)
def test_what_is_no_stamp_is_refused_with_an_example(stamp: str) -> None:
    with pytest.raises(ValueError, match="an RFC 3339 time with an offset, such as 20"):
        parse_rfc3339(stamp)


@given(st.integers(0, 2**41), timezones())
@thorough
def test_a_local_stamp_shows_the_clock_of_its_zone(ms: int, name: str) -> None:
    zone = ZoneInfo(name)
    local = datetime.fromtimestamp(ms // 1_000, zone)
    expected = local.replace(tzinfo=None, microsecond=ms % 1_000 * 1_000)
    assert to_local_stamp(ms, zone) == expected.isoformat(" ", "milliseconds")


def test_units_of_time_are_in_milliseconds() -> None:
    assert MS_PER_SECOND == 10**3
    assert (MS_PER_MINUTE, MS_PER_HOUR) == (60_000, 3_600_000)
    assert MS_PER_DAY == 86_400_000


def test_the_forms_are_those_of_the_seeds() -> None:
    assert to_iso_ms(1_731_492_073_051) == "2024-11-13T10:01:13.051Z"
    assert to_iso_seconds(1_706_745_599_999) == "2024-01-31T23:59:59Z"
    assert to_local_stamp(1_777_979_382_508, ZoneInfo("UTC")) == "2026-05-05 11:09:42.508"
