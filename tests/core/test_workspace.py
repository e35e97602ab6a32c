"""Workspaces: the plan of a moment, and whether a key can be used at one."""

from __future__ import annotations

import pytest

from farebox.core.calendar import ZoneSince
from farebox.core.workspace import ApiKey, Workspace

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


def workspace(*plans: tuple[int, int]) -> Workspace:
    return Workspace(
        profile_id=1,
        uid="uid",
        name="Acme",
        description="",
        plan_id=plans[-1][1],
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
        plans=plans,
    )


@pytest.mark.parametrize(
    ("ms", "plan_id"), [(-1, 7), (99, 7), (100, 7), (199, 7), (200, 8), (299, 8), (300, 7)]
)
def test_the_plan_of_a_moment_is_the_last_that_began(ms: int, plan_id: int) -> None:
    assert workspace((100, 7), (200, 8), (300, 7)).plan_id_at(ms) == plan_id


def test_a_key_is_active_until_its_end() -> None:
    key = KEY._replace(expires_at_ms=100)
    assert [key.status(ms) for ms in (99, 100, 101)] == ["active", "expired", "expired"]
    assert KEY.status(2**62) == "active"


def test_a_revoked_key_stays_revoked() -> None:
    key = KEY._replace(expires_at_ms=100, revoked_at_ms=50)
    assert {key.status(ms) for ms in (0, 50, 99, 100)} == {"revoked"}
