"""Stamps and durations become exact milliseconds, whatever form they came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farebox.importers.stamp import TIME_MS_MAX, parse_duration, parse_stamp, scale

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOON = 1_777_636_800_000  # 2026-05-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1777636800", NOON),
        ("1777636800.123", NOON + 123),
        ("1777636800.9999999", NOON + 999),
        ("1646861401.5241024", 1_646_861_401_524),
        ("1777636800123.75", NOON + 123),
        ("1777636800123456", NOON + 123),
        ("1777636800123456789", NOON + 123),
        ("01/May/2026:12:00:00 +0000", NOON),
        ("01/May/2026:14:00:00 +0200", NOON),
        ("01/May/2026:05:00:00 -0700", NOON),
        ("01/May/2026 12:00:00.250 +0000", NOON + 250),
        ("2026-05-01T12:00:00Z", NOON),
        ("2026-05-01T17:45:00+05:45", NOON),
        ("2026-05-01T12:00:00.123456789Z", NOON + 123),
        ("2026-05-01T14:00:00.007+0200", NOON + 7),
        ("0", 0),
    ],
)
def test_every_documented_form_of_a_stamp_is_read_exactly(text: str, time_ms: int) -> None:
    assert parse_stamp(text) == time_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-05-01T12:00:00",
        "2026/05/01 12:00:00",
        "01/May/2026:12:00:00",
        "01/Mai/2026:12:00:00 +0000",
        "31/Feb/2026:12:00:00 +0000",
        "01/May/2026:12:00:00 +9900",
        "01/May/2026:24:00:00 +0000",
        "01/May/2026:12:60:00 +0000",
        "01/May/2026:12:00:60 +0000",
        "-5",
        "1.2.3",
        "\u0661\u0662\u0663",
        "31/Dec/1969:23:59:59 +0000",
        "9" * 30,
        "nan",
        "1777636800_000",
    ],
)
def test_a_stamp_without_an_offset_or_out_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a"):
        parse_stamp(text)


@given(st.integers(0, TIME_MS_MAX), st.integers(-14 * 60, 14 * 60))
def test_a_rendered_common_log_stamp_reads_back_to_its_second(time_ms: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    seconds = time_ms // 1000
    try:
        local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except OverflowError:
        return  # the last hours of the year 9999
    month = MONTHS[local.month - 1]
    text = f"{local:%d}/{month}/{local.year:04d}:{local:%H:%M:%S %z}"
    if local.year >= 1970:
        assert parse_stamp(text) == seconds * 1000


@given(st.integers(10**9, 10**10 - 1), st.integers(0, 999), st.text("0123456789", max_size=9))
def test_digits_past_the_millisecond_never_round_up(second: int, ms: int, more: str) -> None:
    assert parse_stamp(f"{second}.{ms:03d}{more}") == second * 1000 + ms


@given(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=9), st.integers(-9, 9))
@example(Decimal("0.001"), 3)
@example(Decimal("1E-5"), 3)
def test_scaling_is_the_whole_part_of_the_exact_product(value: Decimal, places: int) -> None:
    assert scale(format(value, "f"), places) == int(value.scaleb(places))


@pytest.mark.parametrize(
    ("text", "seconds_places", "duration_ms"),
    [
        ("0.000929675", 0, 0),
        ("0.034", 0, 34),
        ("12", 0, 12_000),
        ("1.5e-05", 0, 0),
        ("2.5E+1", 0, 25_000),
        ("34", -3, 34),
        ("34999", -6, 34),
        ("34999999", -9, 34),
        ("1m32.05s", 0, 92_050),
        ("6.31ms", 0, 6),
        ("870.5µs", 0, 0),
        ("999.9ms600µs", 0, 1_000),
        ("2h0m1s", 0, 7_201_000),
        ("0s", 0, 0),
    ],
)
def test_a_duration_is_cut_to_milliseconds(
    text: str, seconds_places: int, duration_ms: int
) -> None:
    assert parse_duration(text, seconds_places) == duration_ms


@pytest.mark.parametrize("text", ["", "-1", "-0.5", "inf", "1 s", "s", "1x2s", "0.1, 0.2", "1e99"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a"):
        parse_duration(text, 0)
