"""Workspaces and who acts in them: users, API keys, and the provider's bearer tokens."""

from __future__ import annotations

from typing import Literal, NamedTuple

from farebox.core.calendar import ZoneSince
from farebox.core.ip_range import IpRange

Status = Literal["active", "suspended"]
KeyStatus = Literal["active", "expired", "revoked"]
Scope = Literal["meter", "admin"]

NAME_LENGTH_MAX = 55  # seed: quotas


class Workspace(NamedTuple):
    """A customer of the provider.

    `timezone` is the one set last; `report_timezone` the one whose days are complete
    (`zone_version`), which is the same but for the moments after a change. `plans` holds
    (from_ms, plan_id), ascending; the last may be one that waits for the open period to end, so
    that its prices hold from that instant on, whoever notices it when. Auto top-up: when the
    balance falls below a mark, the provider is told; if it `is_auto_top_up_granted`, the credits
    are granted at once as well. While it is enabled, both amounts are there and above 0.
    Links and sessions carry `session_epoch`; those that carry another one have ended.
    """

    profile_id: int
    uid: str
    name: str
    description: str
    plan_id: int
    next_plan_id: int | None
    timezone: str
    zone_version: int
    licences: int
    is_quota_sharing_enabled: bool
    anchor_day: int
    status: Status
    is_auto_top_up_credits_enabled: bool
    auto_top_up_credit_micro: int | None
    auto_top_up_balance_fall_below_micro: int | None
    is_auto_top_up_granted: bool
    created_at_ms: int
    session_epoch: str
    report_timezone: str
    zones: tuple[ZoneSince, ...]
    plans: tuple[tuple[int, int], ...]

    def plan_id_at(self, time_ms: int) -> int:
        """The plan at an instant; before the first, the first."""
        found = self.plans[0][1]
        for from_ms, plan_id in self.plans:
            if from_ms <= time_ms:
                found = plan_id
        return found


class User(NamedTuple):
    """A member of a workspace."""

    user_id: str
    profile_id: int
    nickname: str
    email: str
    is_owner: bool
    created_at_ms: int


class ApiKey(NamedTuple):
    """A key without its secret: that is known by its digest only.

    `log_type_ids` are what it may call, `ip_ranges` from where it may be used, `credits_cap_micro`
    is the most it may use in one billing period; None is no such term. Keys that were rotated one
    from another are a family, named by its first: they share one cap.
    """

    key_id: str
    profile_id: int
    user_id: str
    name: str
    digest: bytes
    masked_authentication: str
    channel: Literal["api", "portal"]
    created_at_ms: int
    expires_at_ms: int | None
    revoked_at_ms: int | None
    rotated_from: str | None
    family_id: str
    log_type_ids: frozenset[int] | None
    ip_ranges: tuple[IpRange, ...] | None
    credits_cap_micro: int | None

    def status(self, now_ms: int) -> KeyStatus:
        """Whether the key can be used at an instant; a revoked key stays revoked."""
        if self.revoked_at_ms is not None:
            return "revoked"
        if self.expires_at_ms is not None and self.expires_at_ms <= now_ms:
            return "expired"
        return "active"


class Token(NamedTuple):
    """A bearer token of the provider: `admin` may do everything that `meter` may."""

    token_id: str
    name: str
    scope: Scope
    digest: bytes
    created_at_ms: int
    revoked_at_ms: int | None
