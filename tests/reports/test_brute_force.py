"""Every report equals a brute-force computation from the raw requests, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farebox.core.calendar import WindowKind, window_at
from tests.reports import brute
from tests.reports.brute import Asked, Raw
from tests.reports.cases import (
    KEYS,
    SLUGS,
    Case,
    Question,
    cases,
    local_date,
    timezones,
)
from tests.reports.stage import LOG_TYPES, Stage
from tests.support.homes import ENGINE_DRAWN

_SLUGS: tuple[str | None, ...] = (*LOG_TYPES, None)
assert len(_SLUGS) == SLUGS


class Tenant(NamedTuple):
    """A workspace with keys of two users; the first two keys have the same mask."""

    profile_id: int
    user_ids: tuple[str, str]
    key_ids: list[str]


def move_in(stage: Stage, case: Case) -> Tenant:
    profile_id = stage.workspace(
        plan="sharing-true",
        timezone=case.timezone,
        licences=2,
        is_quota_sharing_enabled=case.is_sharing,
    )
    guest = stage.call(
        "users.create", profile_id=profile_id, nickname="Guest", email="guest@example.com"
    ).user_id
    owner = next(
        user.user_id
        for user in stage.directory.users.values()
        if user.profile_id == profile_id and user.is_owner
    )
    keys = stage.imported_keys(profile_id, [f"{profile_id}-{n:09d}-tail" for n in range(2)])
    keys += [stage.key(profile_id, user_id=guest) for _ in range(KEYS - 2)]
    return Tenant(profile_id, (owner, guest), keys)


def raws_of(case: Case, tenant: Tenant) -> list[Raw]:
    return [
        Raw(
            tenant.key_ids[event.key],
            _SLUGS[event.slug] if event.channel != "self" else None,
            event.channel,
            event.credits_micro if event.channel != "self" else 0,
            case.anchor_ms + event.offset_ms,
        )
        for event in case.events
    ]


def batches_of(case: Case, stage: Stage, tenant: Tenant, raws: list[Raw]) -> Iterator[set[int]]:
    """Record the events in the case's order and batches; after each, which have come so far."""
    order = list(case.order)
    come: set[int] = set()
    for turn in range(len(order)):
        size = case.batch_sizes[turn % len(case.batch_sizes)]
        batch, order = order[:size], order[size:]
        if batch:
            stage.record([stage.known_as(raws[i], tenant.profile_id, f"e{i}") for i in batch])
            come |= set(batch)
            yield come


def asked_of(question: Question, case: Case, stage: Stage, tenant: Tenant, zone: str) -> Asked:
    masks = [stage.directory.keys[k].masked_authentication for k in tenant.key_ids]
    names = [*tenant.key_ids, *masks, "nobody's"]
    slugs = ["__unknown__" if slug is None else slug for slug in _SLUGS] + ["no_such_type"]
    return Asked(
        local_date(case, zone, question.start),
        local_date(case, zone, question.end),
        None if question.key_names is None else [names[i] for i in question.key_names],
        None if question.slugs is None else [slugs[i] for i in question.slugs],
        question.fill_gaps,
    )


def check_reports(stage: Stage, case: Case, tenant: Tenant, raws: list[Raw]) -> None:
    world = stage.world(tenant.profile_id, raws)
    for question in case.questions:
        asked = asked_of(question, case, stage, tenant, world.zone.key)
        assert stage.daily(tenant.profile_id, asked) == brute.daily(world, asked)
        assert stage.breakdown(tenant.profile_id, asked) == brute.breakdown(world, asked)


def usage_of(stage: Stage, tenant: Tenant, user: int, now_ms: int) -> dict[str, int]:
    answer = stage.profile_usage(tenant.profile_id, tenant.user_ids[user], now_ms)
    return {name: value for name, value in answer.items() if name.endswith("_usage")}


def in_scope(case: Case, tenant: Tenant, user: int, raws: list[Raw]) -> list[Raw]:
    """Whose requests count: all where quotas are shared, else those of the user's keys."""
    own = tenant.key_ids[2:] if user else tenant.key_ids[:2]
    return [raw for raw in raws if case.is_sharing or raw.key_id in own]


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(engine=ENGINE_DRAWN, case=cases(), user=st.integers(0, 1))
def test_reports_and_windows_equal_sums_of_the_raw_requests(
    stages: Callable[[str], Stage], engine: str, case: Case, user: int
) -> None:
    stage = stages(engine)
    tenant = move_in(stage, case)
    raws = raws_of(case, tenant)
    for _ in batches_of(case, stage, tenant, raws):
        pass
    check_reports(stage, case, tenant, raws)
    now_ms = case.anchor_ms + case.now_offset_ms
    zone = ZoneInfo(case.timezone)
    counted = brute.windows(in_scope(case, tenant, user, raws), zone, now_ms)
    assert usage_of(stage, tenant, user, now_ms) == counted


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    engine=ENGINE_DRAWN,
    case=cases(),
    zones=st.lists(timezones, min_size=1, max_size=2),
    at=st.integers(0, 4),
)
def test_reports_stay_right_while_days_are_built_for_a_new_zone(
    stages: Callable[[str], Stage], engine: str, case: Case, zones: list[str], at: int
) -> None:
    stage = stages(engine)
    tenant = move_in(stage, case)
    raws = raws_of(case, tenant)
    come: set[int] = set()
    for turn, come in enumerate(batches_of(case, stage, tenant, raws)):
        if turn >= at and zones:
            stage.clock.advance(1)
            stage.call("workspaces.change", profile_id=tenant.profile_id, timezone=zones.pop())
        stage.recorder.tick()  # one step of the building
        stage.directory.refresh(stage.reader)
        check_reports(stage, case, tenant, [raws[i] for i in come])
        check_windows(stage, case, tenant, [raws[i] for i in come])
    stage.settle()
    check_reports(stage, case, tenant, [raws[i] for i in come])
    check_windows(stage, case, tenant, [raws[i] for i in come])


def check_windows(stage: Stage, case: Case, tenant: Tenant, raws: list[Raw]) -> None:
    """Count what lies in the calendar's windows, which go through the changes of zone."""
    now_ms = case.anchor_ms + case.now_offset_ms
    workspace = stage.directory.workspaces[tenant.profile_id]
    counted = {}
    kinds: dict[str, WindowKind] = {"monthly": "month", "daily": "day", "hourly": "hour"}
    for name, kind in kinds.items():
        window = window_at(kind, now_ms, workspace.zones)
        for channel in ("api", "portal"):
            counted[f"{channel}_{name}_usage"] = sum(
                raw.channel == channel and window.start_ms <= raw.time_ms < window.end_ms
                for raw in in_scope(case, tenant, 0, raws)
            )
    assert usage_of(stage, tenant, 0, now_ms) == counted
