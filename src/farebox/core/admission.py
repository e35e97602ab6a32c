"""Admission: whether a request may go through, decided at once over all that could refuse it.

Pure: state and request in, the first refusal or none out. A refused request consumes nothing of any
limit, since nothing is taken before all of them have agreed. The order is fixed, so that the same
request is always refused by the same limit: who calls (401), what it may do (403), how often (429,
the shortest window first), and what it has left to pay with (402).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from farebox.core.errors import (
    INVALID_KEY,
    IP_NOT_ALLOWED,
    KEY_CAP_REACHED,
    LOG_TYPE_NOT_ALLOWED,
    NO_API_ACCESS,
    NO_CREDITS,
    QUOTA_EXCEEDED,
    SUSPENDED,
    UNMAPPED_DENIED,
    ErrorKind,
)
from farebox.core.ip_range import is_within
from farebox.core.plan import Plan
from farebox.core.request import UNMAPPED, Channel
from farebox.core.workspace import ApiKey, Workspace

WindowName = Literal["second", "minute", "hour", "day", "month"]
LimitName = Literal["second", "minute", "hour", "day", "month", "key_credits", "credits"]
WINDOW_NAMES: tuple[WindowName, ...] = ("second", "minute", "hour", "day", "month")


class LimitState(NamedTuple):
    """A limit as a caller is told of it.

    `limit` and `remaining` are requests, for `credits` and `key_credits` micro-credits. A balance
    has no `limit`; what never begins anew has no `reset_ms`.
    """

    name: LimitName
    limit: int | None
    remaining: int
    reset_ms: int | None


class Denial(NamedTuple):
    """Why a request is refused: what the caller is told, and which limit it was (or the kind)."""

    kind: ErrorKind
    denied_by: str


class Level(Protocol):
    """What is left of a limit to whoever decides."""

    @property
    def name(self) -> LimitName:
        """Which limit it is."""

    @property
    def free(self) -> int:
        """Units that may be taken now: requests, or micro-credits."""


# What a caller is told, by what refuses.
KIND_OF_DENIAL: dict[str, ErrorKind] = {
    "key": INVALID_KEY,
    "ip": IP_NOT_ALLOWED,
    "log_type": LOG_TYPE_NOT_ALLOWED,
    "workspace": SUSPENDED,
    "plan": NO_API_ACCESS,
    "unmapped": UNMAPPED_DENIED,
    **dict.fromkeys(WINDOW_NAMES, QUOTA_EXCEEDED),
    "key_credits": KEY_CAP_REACHED,
    "credits": NO_CREDITS,
}


def denied_by_terms(
    key: ApiKey,
    workspace: Workspace,
    plan: Plan,
    log_type_id: int,
    channel: Channel,
    now_ms: int,
    ip: str | None,
) -> Denial | None:
    """What refuses the caller as such: the key, the workspace, or the terms of its plan.

    `ip` is the caller's address; None, which is unknown, is no allowed one.
    """
    denial = denied_by_key(key, log_type_id, now_ms, ip)
    if denial is not None:
        return denial
    if workspace.status == "suspended":
        return denial_of("workspace")
    if channel == "api" and not plan.is_api_access_available:
        return denial_of("plan")
    if log_type_id == UNMAPPED and plan.unmapped == "deny":
        return denial_of("unmapped")
    return None


def denied_by_key(key: ApiKey, log_type_id: int, now_ms: int, ip: str | None) -> Denial | None:
    """What of the key refuses the caller; a key for some log types opens nothing unmapped."""
    if key.status(now_ms) != "active":
        return denial_of("key")
    if key.ip_ranges is not None and not is_within(ip, key.ip_ranges):
        return denial_of("ip")
    if key.log_type_ids is not None and log_type_id not in key.log_type_ids:
        return denial_of("log_type")
    return None


def first_short(levels: Iterable[Level], costs: Iterable[int]) -> LimitName | None:
    """The first limit that has less left than the request costs; None when all have enough.

    What costs nothing needs nothing: a free call passes a balance below zero.
    """
    for level, cost in zip(levels, costs, strict=True):
        if cost and level.free < cost:
            return level.name
    return None


def denial_of(denied_by: str) -> Denial:
    """The denial by a limit, or by what else refuses."""
    return Denial(KIND_OF_DENIAL[denied_by], denied_by)
