"""The calendar against brute force: quarters and days of every zone tile the line."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import (
    EPOCH_ORDINAL,
    LAST_DAY,
    QUARTER_MS,
    QUARTER_SECONDS,
    day_of_quarter,
    day_quarters,
    day_start_ms,
    format_day,
    parse_day,
    quarter_of,
    zone_of,
)
from tests.core.strategies import (
    DAY_SECONDS,
    END_MS,
    FIRST_MS,
    clock_changes,
    distinct_zones,
    instants,
    moments,
    quick,
    thorough,
    timezones,
)

DAYS = st.integers(FIRST_MS // (DAY_SECONDS * 1_000), END_MS // (DAY_SECONDS * 1_000))


def local_day(seconds: int, zone: ZoneInfo) -> int:
    """The date on the wall."""
    return datetime.fromtimestamp(seconds, zone).toordinal() - EPOCH_ORDINAL


@pytest.mark.slow
def test_the_days_of_every_zone_tile_the_line() -> None:
    first = FIRST_MS // 1_000 // DAY_SECONDS
    end = END_MS // 1_000 // DAY_SECONDS
    for name in distinct_zones():
        zone = zone_of(name)
        starts = [day_start_ms(day, zone) for day in range(first, end + 1)]
        assert all(start % QUARTER_MS == 0 for start in starts), name
        changed = {
            local_day(at_ms // 1_000, zone) + by
            for at_ms in clock_changes(name)
            for by in (-1, 0, 1)
        }
        for day, start, following in zip(range(first, end), starts, starts[1:], strict=False):
            quarters = (following - start) // QUARTER_MS
            assert quarters == 96 or day in changed, (name, format_day(day))


@pytest.mark.slow
def test_around_every_change_of_clock_a_quarter_counts_to_the_day_on_the_wall() -> None:
    for name in distinct_zones():
        zone = zone_of(name)
        for at_ms in clock_changes(name):
            assert at_ms % QUARTER_MS == 0, name
            middle = at_ms // QUARTER_MS
            for quarter in range(middle - 110, middle + 110):
                day = day_of_quarter(quarter, zone)
                assert day == local_day(quarter * QUARTER_SECONDS, zone), name
                first, end = day_quarters(day, day + 1, zone)
                assert first <= quarter < end, (name, quarter)


@given(moments())
@thorough
def test_a_day_has_the_quarters_that_brute_force_finds(moment: tuple[str, int]) -> None:
    name, ms = moment
    zone = zone_of(name)
    day = local_day(ms // 1_000, zone)
    utc = day * 96
    expected = [
        quarter
        for quarter in range(utc - 96, utc + 192)
        if local_day(quarter * QUARTER_SECONDS, zone) == day
    ]
    assert list(range(*day_quarters(day, day + 1, zone))) == expected
    assert day_start_ms(day, zone) == expected[0] * QUARTER_MS
    assert {day_of_quarter(quarter, zone) for quarter in expected} == {day}


@given(timezones(), DAYS, st.integers(0, 400), st.integers(0, 400))
@quick
def test_ranges_of_days_join(name: str, day: int, some: int, more: int) -> None:
    zone = zone_of(name)
    middle = day + some
    end = middle + more
    assert day_quarters(day, middle, zone)[1] == day_quarters(middle, end, zone)[0]
    assert day_quarters(day, end, zone) == (
        day_quarters(day, middle, zone)[0],
        day_quarters(middle, end, zone)[1],
    )


@pytest.mark.parametrize(
    ("timezone", "day", "quarters"),
    [
        ("Europe/Berlin", "2026-03-28", 96),
        ("Europe/Berlin", "2026-03-29", 92),
        ("Europe/Berlin", "2026-10-25", 100),
        ("America/New_York", "2026-03-08", 92),
        ("America/New_York", "2026-11-01", 100),
        ("Australia/Lord_Howe", "2026-04-05", 98),
        ("Australia/Lord_Howe", "2026-10-04", 94),
        ("Asia/Kathmandu", "2026-05-05", 96),
        ("Asia/Beirut", "2026-03-29", 92),
        ("America/Santiago", "2026-09-06", 92),
        ("America/Santiago", "2026-04-04", 100),
        ("Africa/Cairo", "2026-04-24", 92),
        ("Africa/Cairo", "2026-10-29", 100),
        ("America/Nuuk", "2026-03-28", 92),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Antarctica/Vostok", "2023-12-17", 96),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(timezone: str, day: str, quarters: int) -> None:
    first, end = day_quarters(parse_day(day), parse_day(day) + 1, zone_of(timezone))
    assert end - first == quarters


@pytest.mark.parametrize(
    ("timezone", "day", "utc"),
    [
        ("Asia/Kathmandu", "2026-05-05", "2026-05-04T18:15:00+00:00"),
        # Midnight is skipped: the day begins at one o'clock.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00+00:00"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00+00:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00+00:00"),
        # Midnight comes twice: the day begins at the first.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00+00:00"),
        ("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00+00:00"),
        # The hour before midnight comes twice: the day begins after the second.
        ("Asia/Beirut", "2026-10-25", "2026-10-24T22:00:00+00:00"),
    ],
)
def test_a_day_begins_at_its_first_instant(timezone: str, day: str, utc: str) -> None:
    start_ms = day_start_ms(parse_day(day), zone_of(timezone))
    assert start_ms == int(datetime.fromisoformat(utc).timestamp()) * 1_000


@pytest.mark.parametrize("timezone", ["America/St_Johns", "America/Moncton", "Antarctica/Casey"])
def test_days_never_run_back_where_clocks_were_set_back_across_midnight(timezone: str) -> None:
    zone = zone_of(timezone)
    for at_ms in clock_changes(timezone, 0, 1_600_000_000_000):
        middle = at_ms // QUARTER_MS
        days = [day_of_quarter(quarter, zone) for quarter in range(middle - 110, middle + 110)]
        assert days == sorted(days)
        for day in set(days[97:-97]):
            first, end = day_quarters(day, day + 1, zone)
            found = {day_of_quarter(quarter, zone) for quarter in range(first, end)}
            assert found == {day}


@given(instants())
@quick
def test_a_quarter_holds_its_instants(ms: int) -> None:
    quarter = quarter_of(ms)
    assert quarter * QUARTER_MS <= ms < (quarter + 1) * QUARTER_MS


@given(st.dates())
@thorough
def test_a_day_survives_its_text(day: date) -> None:
    number = parse_day(day.isoformat())
    assert format_day(number) == day.isoformat()
    assert number == (day - date(1970, 1, 1)).days


@given(st.dates(), timezones())
@thorough
def test_every_day_of_the_calendar_has_a_start_and_an_end(day: date, name: str) -> None:
    number = parse_day(day.isoformat())
    zone = zone_of(name)
    assert 0 < day_start_ms(number + 1, zone) - day_start_ms(number, zone) <= 2 * 86_400_000


def test_the_last_day_of_the_calendar_ends() -> None:
    assert day_start_ms(LAST_DAY, zone_of("Asia/Tokyo")) == (24 * LAST_DAY - 9) * 3_600_000
    for name in distinct_zones():
        zone = zone_of(name)
        assert day_start_ms(LAST_DAY + 1, zone) > day_start_ms(LAST_DAY, zone)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-5-1",
        "2026-05- 1",
        "2026-W18-5",
        "20260501",
        "2026-05-01 ",
        "2026-05-01T00:00:00Z",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "-026-05-01",
        "2026/05/01",
        "\uff12026-05-01",
        "01-05-2026",
    ],
)
def test_another_text_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match="a date in the form YYYY-MM-DD"):
        parse_day(text)


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "../etc/passwd", "europe/berlin", "/UTC"])
def test_what_is_no_zone_is_refused(timezone: str) -> None:
    with pytest.raises(ValueError, match="the name of an IANA timezone"):
        zone_of(timezone)


def test_every_zone_of_tzdata_is_known() -> None:
    assert {str(zone_of(name)) for name in distinct_zones()} == set(distinct_zones())
