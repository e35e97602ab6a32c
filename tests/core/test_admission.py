"""Admission: what refuses, in which order, and that what refuses takes nothing."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core import errors
from farebox.core.admission import (
    WINDOW_NAMES,
    Denial,
    LimitName,
    denial_of,
    denied_by_terms,
    first_short,
)
from farebox.core.calendar import ZoneSince
from farebox.core.errors import ErrorKind
from farebox.core.ip_range import IpRange, parse_ranges
from farebox.core.plan import Plan, WindowLimits
from farebox.core.request import CALLER_CHANNELS, UNMAPPED, Channel
from farebox.core.workspace import ApiKey, Workspace
from tests.core.strategies import thorough

NOW_MS = 1_000
NO_LIMITS = WindowLimits(None, None, None)
HERE = "192.0.2.7"
ELSEWHERE = "198.51.100.7"
KEY = ApiKey(
    key_id="key_1",
    profile_id=1,
    user_id="user",
    name="",
    digest=bytes(32),
    masked_authentication="•" * 20,
    channel="api",
    created_at_ms=0,
    expires_at_ms=None,
    revoked_at_ms=None,
    rotated_from=None,
    family_id="key_1",
    log_type_ids=None,
    ip_ranges=None,
    credits_cap_micro=None,
)
WORKSPACE = Workspace(
    profile_id=1,
    uid="uid",
    name="Acme",
    description="",
    plan_id=1,
    next_plan_id=None,
    timezone="UTC",
    zone_version=1,
    licences=1,
    is_quota_sharing_enabled=False,
    anchor_day=1,
    status="active",
    is_auto_top_up_credits_enabled=False,
    auto_top_up_credit_micro=None,
    auto_top_up_balance_fall_below_micro=None,
    is_auto_top_up_granted=False,
    created_at_ms=0,
    session_epoch="",
    report_timezone="UTC",
    zones=(ZoneSince(0, "UTC"),),
    plans=((0, 1),),
)
PLAN = Plan(
    plan_id=1,
    slug="gold",
    name="Gold",
    credits_per_month_micro=0,
    api=NO_LIMITS,
    portal=NO_LIMITS,
    requests_per_minute=None,
    requests_per_second=None,
    is_api_access_available=True,
    is_quota_sharing_available=True,
    unmapped="deny",
    is_shadow=False,
    prices={},
)


def denied(
    key: ApiKey = KEY,
    workspace: Workspace = WORKSPACE,
    plan: Plan = PLAN,
    *,
    log_type_id: int = 7,
    channel: Channel = "api",
    ip: str | None = HERE,
) -> Denial | None:
    return denied_by_terms(key, workspace, plan, log_type_id, channel, NOW_MS, ip)


def test_who_has_no_terms_is_let_through_from_anywhere() -> None:
    for ip in (HERE, ELSEWHERE, "no address", None):
        assert denied(ip=ip) is None


@pytest.mark.parametrize(
    "key",
    [
        KEY._replace(revoked_at_ms=NOW_MS),
        KEY._replace(revoked_at_ms=NOW_MS + 1),
        KEY._replace(expires_at_ms=NOW_MS),
    ],
    ids=["revoked", "revoked by a clock ahead", "expired"],
)
def test_a_key_that_has_ended_is_refused(key: ApiKey) -> None:
    assert denied(key) == Denial(errors.INVALID_KEY, "key")
    assert denied(KEY._replace(expires_at_ms=NOW_MS + 1)) is None


@pytest.mark.parametrize(
    ("ip", "is_allowed"),
    [
        (HERE, True),
        (f"::ffff:{HERE}", True),
        ("2001:db8::1", True),
        (ELSEWHERE, False),
        ("2001:db9::1", False),
        ("no address", False),
        ("", False),
        (None, False),
    ],
)
def test_a_key_with_ranges_is_good_within_them_only(ip: str | None, is_allowed: bool) -> None:
    key = KEY._replace(ip_ranges=parse_ranges(["192.0.2.0/24", "2001:db8::/32"]))
    assert denied(key, ip=ip) == (None if is_allowed else Denial(errors.IP_NOT_ALLOWED, "ip"))


def test_a_key_for_some_log_types_calls_no_other_and_nothing_unmapped() -> None:
    key = KEY._replace(log_type_ids=frozenset({7, 8}))
    anything = PLAN._replace(unmapped="allow")
    refused = Denial(errors.LOG_TYPE_NOT_ALLOWED, "log_type")
    found = [denied(key, plan=anything, log_type_id=i) for i in (7, 8, 9, UNMAPPED)]
    assert found == [None, None, refused, refused]
    assert denied(plan=anything, log_type_id=UNMAPPED) is None


def test_a_suspended_workspace_is_refused() -> None:
    suspended = WORKSPACE._replace(status="suspended")
    assert denied(workspace=suspended) == Denial(errors.SUSPENDED, "workspace")


def test_without_api_access_the_portal_alone_is_open() -> None:
    plan = PLAN._replace(is_api_access_available=False)
    assert denied(plan=plan, channel="api") == Denial(errors.NO_API_ACCESS, "plan")
    assert denied(plan=plan, channel="portal") is None


def test_what_is_unmapped_is_denied_unless_the_plan_allows_it() -> None:
    assert denied(log_type_id=UNMAPPED) == Denial(errors.UNMAPPED_DENIED, "unmapped")
    assert denied(plan=PLAN._replace(unmapped="allow"), log_type_id=UNMAPPED) is None


def test_a_shadow_plan_shadows_no_terms() -> None:
    """Shadow mode lets through what limits and credits refuse; who may call what still holds."""
    shadow = PLAN._replace(is_shadow=True, is_api_access_available=False)
    assert denied(plan=shadow) == Denial(errors.NO_API_ACCESS, "plan")


class Rule(NamedTuple):
    """One of the rules in the order in which they are asked, and its denial."""

    is_broken: bool
    denial: Denial


@given(
    has_ended=st.booleans(),
    ip_ranges=st.none() | st.just(parse_ranges(["192.0.2.0/24"])),
    ip=st.sampled_from([HERE, ELSEWHERE, None]),
    log_type_ids=st.none() | st.frozensets(st.integers(1, 3), min_size=1),
    log_type_id=st.integers(UNMAPPED, 3),
    is_suspended=st.booleans(),
    is_api_access_available=st.booleans(),
    channel=st.sampled_from(CALLER_CHANNELS),
    is_unmapped_denied=st.booleans(),
)
@thorough
def test_the_first_rule_that_is_broken_refuses_in_a_fixed_order(
    *,
    has_ended: bool,
    ip_ranges: tuple[IpRange, ...] | None,
    ip: str | None,
    log_type_ids: frozenset[int] | None,
    log_type_id: int,
    is_suspended: bool,
    is_api_access_available: bool,
    channel: Channel,
    is_unmapped_denied: bool,
) -> None:
    rules = (
        Rule(has_ended, Denial(errors.INVALID_KEY, "key")),
        Rule(ip_ranges is not None and ip != HERE, Denial(errors.IP_NOT_ALLOWED, "ip")),
        Rule(
            log_type_ids is not None and log_type_id not in log_type_ids,
            Denial(errors.LOG_TYPE_NOT_ALLOWED, "log_type"),
        ),
        Rule(is_suspended, Denial(errors.SUSPENDED, "workspace")),
        Rule(
            channel == "api" and not is_api_access_available,
            Denial(errors.NO_API_ACCESS, "plan"),
        ),
        Rule(
            is_unmapped_denied and log_type_id == UNMAPPED,
            Denial(errors.UNMAPPED_DENIED, "unmapped"),
        ),
    )
    found = denied_by_terms(
        KEY._replace(
            expires_at_ms=NOW_MS if has_ended else None,
            ip_ranges=ip_ranges,
            log_type_ids=log_type_ids,
        ),
        WORKSPACE._replace(status="suspended" if is_suspended else "active"),
        PLAN._replace(
            is_api_access_available=is_api_access_available,
            unmapped="deny" if is_unmapped_denied else "allow",
        ),
        log_type_id,
        channel,
        NOW_MS,
        ip,
    )
    assert found == next((rule.denial for rule in rules if rule.is_broken), None)
    assert found is None or found.kind.status in {401, 403}


class Left(NamedTuple):
    """A limit, and what is left of it."""

    name: LimitName
    free: int


NAMES: tuple[LimitName, ...] = (*WINDOW_NAMES, "key_credits", "credits")
levels = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(-5, 5), st.integers(0, 5)), max_size=7
)


@given(levels)
@thorough
def test_the_first_limit_that_is_short_is_named(drawn: list[tuple[LimitName, int, int]]) -> None:
    left = [Left(name, free) for name, free, _ in drawn]
    costs = [cost for _, _, cost in drawn]
    found = first_short(left, costs)
    is_short = [cost > 0 and one.free < cost for one, cost in zip(left, costs, strict=True)]
    if found is None:
        assert not any(is_short)
    else:
        assert found == left[is_short.index(True)].name


def test_what_costs_nothing_passes_a_balance_below_zero() -> None:
    owing = [Left("hour", 1), Left("credits", -5)]
    assert first_short(owing, [1, 0]) is None
    assert first_short(owing, [1, 1]) == "credits"


def test_the_last_unit_is_enough_and_none_is_not() -> None:
    assert first_short([Left("hour", 1)], [1]) is None
    assert first_short([Left("hour", 0)], [1]) == "hour"


def test_no_limit_refuses_nothing() -> None:
    assert first_short([], []) is None


def test_every_limit_needs_a_cost() -> None:
    with pytest.raises(ValueError, match="zip"):
        first_short([Left("hour", 1), Left("day", 1)], [1])


@pytest.mark.parametrize("name", NAMES)
def test_a_denial_names_its_limit_and_tells_windows_from_credits(name: LimitName) -> None:
    kinds: dict[str, ErrorKind] = {
        "key_credits": errors.KEY_CAP_REACHED,
        "credits": errors.NO_CREDITS,
    }
    assert denial_of(name) == Denial(kinds.get(name, errors.QUOTA_EXCEEDED), name)
    assert denial_of(name).kind.status == (402 if name in kinds else 429)


def test_windows_are_asked_from_the_shortest() -> None:
    assert WINDOW_NAMES == ("second", "minute", "hour", "day", "month")
