"""The hourly report equals brute force over the raw requests, and adds up to the daily one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farebox.api.customer_forms import daily_data
from farebox.core.calendar import EPOCH_ORDINAL
from farebox.core.errors import FareboxError
from farebox.service.date_range import DateRange
from farebox.service.usage_filters import UsageFilters, usage_filters
from farebox.service.usage_hourly import usage_hourly
from tests.reports import brute
from tests.reports.brute import Asked, Raw
from tests.reports.cases import Case, Event, Question, cases
from tests.reports.stage import Stage, as_json
from tests.reports.test_brute_force import asked_of, batches_of, move_in, raws_of
from tests.support.homes import ENGINE_DRAWN

HOUR_MS = 3_600_000


def hour_of(raw: Raw, zone: ZoneInfo) -> str:
    """The date, local hour and offset of a request, by the standard library alone."""
    local = datetime.fromtimestamp(raw.time_ms // 1000, UTC).astimezone(zone)
    return f"{local:%Y-%m-%dT%H%z}"


def by_hour(raws: list[Raw], zone: ZoneInfo) -> dict[str, dict[str, Any]]:
    """The hours with traffic."""
    found = {hour_of(raw, zone) for raw in raws}
    return {hour: brute.totals([r for r in raws if hour_of(r, zone) == hour]) for hour in found}


def told(series: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The hours with traffic of a series, named as above."""
    return {
        f"{datetime.fromisoformat(point['date']):%Y-%m-%dT%H%z}": {
            "credits": point["credits"],
            "requests": point["requests"],
        }
        for point in series
        if point["requests"]
    }


near = st.builds(
    Event,
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from(("api", "portal", "self")),
    st.integers(0, 10_000_000),
    st.integers(-40 * HOUR_MS, 40 * HOUR_MS),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    engine=ENGINE_DRAWN,
    case=cases(),
    events=st.lists(near, min_size=1, max_size=25),
    start=st.integers(-2, 1),
    length=st.integers(0, 2),
)
def test_hours_equal_brute_force_and_add_up_to_the_days(
    stages: Callable[[str], Stage],
    engine: str,
    case: Case,
    events: list[Event],
    start: int,
    length: int,
) -> None:
    stage = stages(engine)
    case = case._replace(events=events, order=list(range(len(events))))
    tenant = move_in(stage, case)
    raws = raws_of(case, tenant)
    for _ in batches_of(case, stage, tenant, raws):
        pass
    world = stage.world(tenant.profile_id, raws)
    for question in case.questions:
        near_question = Question(start, start + length, question.key_names, question.slugs, True)
        asked = asked_of(near_question, case, stage, tenant, world.zone.key)
        hourly = hourly_of(stage, tenant.profile_id, asked)
        chosen = brute.selected(world, asked)
        assert told(hourly["series"]) == by_hour(chosen, world.zone)
        check_sums(hourly, stage.daily(tenant.profile_id, asked))


def hourly_of(stage: Stage, profile_id: int, asked: Asked) -> dict[str, Any]:
    """The report in the form of the daily one."""
    days = DateRange(
        asked.start.toordinal() - EPOCH_ORDINAL, asked.end.toordinal() - EPOCH_ORDINAL + 1
    )
    filters = usage_filters(stage.directory, profile_id, asked.keys, asked.slugs)
    report = usage_hourly(stage.reader, stage.directory, profile_id, days, filters).report
    return as_json(daily_data(report))


def check_sums(hourly: dict[str, Any], daily: dict[str, Any]) -> None:
    assert hourly["totals"] == daily["totals"]
    pairs = [(hourly["series"], daily["series"])]
    for own, other in zip(hourly["by_log_type"], daily["by_log_type"], strict=True):
        assert (own["slug"], own["name"], own["totals"]) == (
            other["slug"],
            other["name"],
            other["totals"],
        )
        pairs.append((own["series"], other["series"]))
    for hours, days in pairs:
        for day in days:
            own = [hour for hour in hours if hour["date"].startswith(day["date"])]
            for name in ("credits", "requests"):
                assert sum(hour[name] for hour in own) == day[name]


def test_more_than_three_days_by_the_hour_are_refused(
    stages: Callable[[str], Stage],
) -> None:
    stage = stages("sqlite")
    profile_id = stage.workspace(plan="sharing-true")
    first = date(2026, 5, 1).toordinal() - EPOCH_ORDINAL
    whole = DateRange(first, first + 3)
    found = usage_hourly(stage.reader, stage.directory, profile_id, whole, UsageFilters())
    assert len(found.hours) == 72
    longer = DateRange(first, first + 4)
    with pytest.raises(FareboxError) as caught:
        usage_hourly(stage.reader, stage.directory, profile_id, longer, UsageFilters())
    assert caught.value.kind.code == 40007
