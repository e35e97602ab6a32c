"""Tests of the made-up traffic: repeatable, on the clock of its timezone, and believable."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from farebox.core.calendar import day_of_quarter, parse_day, quarter_of, zone_of
from farebox.core.instant import MS_PER_DAY, MS_PER_SECOND, parse_rfc3339
from farebox.demo.callers import CALLERS, LIST_INDUSTRIES, LIST_LOCATIONS, REDEEM_PEOPLE
from farebox.demo.calls import FAILED, Call
from farebox.demo.endpoints import ENDPOINTS, redeem_credits
from farebox.demo.traffic import INCIDENT_HOURS, SEED, incident_day, make_traffic

BERLIN = zone_of("Europe/Berlin")
# The clocks went back on 25 October, within the range.
END_MS = parse_rfc3339("2026-11-22T14:07:31+01:00")
DAYS = 60
PRODUCTION, NIGHTLY, TEAM = CALLERS


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return list(make_traffic(SEED, DAYS, END_MS, BERLIN))


def local(call: Call) -> datetime:
    return datetime.fromtimestamp(call.time_ms // MS_PER_SECOND, BERLIN)


def by_day(calls: list[Call]) -> Counter[int]:
    return Counter(day_of_quarter(quarter_of(call.time_ms), BERLIN) for call in calls)


def test_the_same_seed_gives_the_same_traffic(calls: list[Call]) -> None:
    assert list(make_traffic(SEED, DAYS, END_MS, BERLIN)) == calls


def test_another_seed_gives_other_traffic(calls: list[Call]) -> None:
    assert list(make_traffic(SEED + 1, DAYS, END_MS, BERLIN)) != calls


def test_there_are_about_sixty_thousand_calls(calls: list[Call]) -> None:
    assert 55_000 < len(calls) < 70_000


def test_calls_come_by_time_and_none_after_the_end(calls: list[Call]) -> None:
    times = [call.time_ms for call in calls]
    assert times == sorted(times)
    assert END_MS - 10 * 60 * MS_PER_SECOND < times[-1] < END_MS


@pytest.mark.parametrize("days", [1, 2, 7, 60])
def test_every_local_day_of_the_range_has_calls(days: int) -> None:
    days_seen = by_day(list(make_traffic(SEED, days, END_MS, BERLIN)))
    last = parse_day("2026-11-22")
    assert sorted(days_seen) == list(range(last - days + 1, last + 1))


def test_nothing_is_negative_or_absent(calls: list[Call]) -> None:
    for call in calls:
        assert call.duration_ms > 0
        assert call.response_bytes > 0
        assert call.credits is None or call.credits >= 0
        assert call.method in {"GET", "POST"}


def test_weekdays_are_busier_than_weekends(calls: list[Call]) -> None:
    whole_days = {day: n for day, n in by_day(calls).items() if day != parse_day("2026-11-22")}
    weekdays = [n for day, n in whole_days.items() if (day + 3) % 7 < 5]
    weekends = [n for day, n in whole_days.items() if (day + 3) % 7 >= 5]
    assert min(weekdays) > max(weekends)


def test_work_happens_by_day_and_lunch_dips_on_the_local_clock(calls: list[Call]) -> None:
    hours = Counter(local(call).hour for call in calls if call.key_name != NIGHTLY.key_name)
    assert hours[12] < min(hours[11], hours[14]) * 2 / 3
    assert sum(hours[h] for h in range(9, 18)) > 8 * sum(hours[h] for h in range(6))


def test_the_nightly_key_keeps_to_its_two_hours(calls: list[Call]) -> None:
    hours = {local(call).hour for call in calls if call.key_name == NIGHTLY.key_name}
    assert hours == {3, 4}


def test_traffic_grows(calls: list[Call]) -> None:
    days = by_day(calls)
    first = min(days)
    assert sum(days[first + i] for i in range(28)) * 1.1 < sum(
        days[first + 28 + i] for i in range(28)
    )


def test_every_key_calls_what_its_habit_says_from_its_own_addresses(calls: list[Call]) -> None:
    for caller in CALLERS:
        own = [call for call in calls if call.key_name == caller.key_name]
        assert {(call.method, call.path) for call in own} == {target[:2] for target in caller.mix}
        assert {call.ip for call in own} == set(caller.ips)


def test_prices_are_those_of_the_endpoints(calls: list[Call]) -> None:
    redeemed = [call for call in calls if call.path == REDEEM_PEOPLE.path]
    found = Counter(call.credits for call in redeemed if call.status_code < FAILED)
    assert set(found) == {0, 15, 30}
    assert found[15] > found[30] > found[0]
    # Everything else, and everything that failed, costs what Farebox says: the price, or nothing.
    assert {c.credits for c in calls if c.path != REDEEM_PEOPLE.path} == {None}
    assert {c.credits for c in redeemed if c.status_code >= FAILED} == {None}


def test_a_redeemed_person_costs_by_what_is_known() -> None:
    assert redeem_credits(has_email=True, has_phone=True) == 30
    assert redeem_credits(has_email=True, has_phone=False) == 15
    assert redeem_credits(has_email=False, has_phone=False) == 0


def test_some_calls_are_of_no_priced_endpoint(calls: list[Call]) -> None:
    priced = {endpoint.path for endpoint in ENDPOINTS}
    unmapped = Counter(call.path for call in calls if call.path not in priced)
    assert set(unmapped) == {LIST_LOCATIONS.path, LIST_INDUSTRIES.path}
    assert 0.02 < unmapped.total() / len(calls) < 0.15


def test_one_weekday_has_an_incident_and_only_in_its_hours(calls: list[Call]) -> None:
    errors = [call for call in calls if call.status_code >= 500]
    days = by_day(errors)
    (day, most), (_, next_most) = days.most_common(2)
    assert day == incident_day(DAYS, parse_day("2026-11-23"))
    assert (day + 3) % 7 < 5
    assert most > 5 * next_most
    on_the_day = [c for c in errors if day_of_quarter(quarter_of(c.time_ms), BERLIN) == day]
    inside = [call for call in on_the_day if local(call).hour in INCIDENT_HOURS]
    assert len(inside) > len(on_the_day) * 0.9


def test_the_incident_lies_in_the_range_whatever_day_it_ends() -> None:
    for end_day in range(parse_day("2026-11-01"), parse_day("2026-11-15")):
        day = incident_day(DAYS, end_day)
        assert end_day - DAYS <= day < end_day
        assert (day + 3) % 7 < 5


def test_errors_answer_little_and_time_outs_take_long(calls: list[Call]) -> None:
    failed = [call for call in calls if call.status_code >= FAILED]
    assert max(call.response_bytes for call in failed) < 200
    assert min(call.duration_ms for call in failed if call.status_code == 504) >= 10_000


def test_traffic_of_another_range_of_the_year_is_as_plausible() -> None:
    # The clocks go forward on 29 March: an hour is missing, nothing else.
    end_ms = parse_rfc3339("2026-04-10T00:00:20+02:00")
    calls = list(make_traffic(SEED, DAYS, end_ms, BERLIN))
    assert 55_000 < len(calls) < 70_000
    assert calls[-1].time_ms < end_ms
    assert calls[0].time_ms >= end_ms - DAYS * MS_PER_DAY
