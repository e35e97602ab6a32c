"""Refusals as the gate would note them."""

from __future__ import annotations

from typing import Any

from farebox.core.admission import LimitState
from farebox.core.instant import MS_PER_HOUR
from farebox.core.refusal import Refusal, RefusalTally
from farebox.service.refusal_list import limits_json
from tests.support.harness import START_MS, Harness

HOUR_ENDS_MS = START_MS + MS_PER_HOUR
LIMITS = (
    LimitState("hour", 1000, 0, HOUR_ENDS_MS),
    LimitState("key_credits", 5_000_000, 2_500_000, HOUR_ENDS_MS),
    LimitState("credits", None, -1_250_500_000, None),
)


def refusal(
    profile_id: int = 1,
    key_id: str = "key",
    *,
    time_ms: int = START_MS,
    code: int = 42902,
    denied_by: str = "hour",
    log_type_id: int = 0,
    method: str | None = "POST",
    path: str | None = "/people/search",
    ip: str | None = "192.0.2.1",
    limits: tuple[LimitState, ...] = LIMITS,
    retry_at_ms: int | None = HOUR_ENDS_MS,
    is_shadow: bool = False,
) -> Refusal:
    """A refusal, by default for a limit of an hour."""
    return Refusal(
        profile_id,
        key_id,
        time_ms,
        code // 100,
        code,
        denied_by,
        log_type_id,
        "api",
        method,
        path,
        ip,
        limits,
        retry_at_ms,
        is_shadow,
    )


def note(harness: Harness, *refusals: Refusal, source: str = "one", sequence: int = 1) -> None:
    """Send a batch."""
    tally = RefusalTally(1_000)
    for each in refusals:
        tally.add(each)
    explained: list[Any] = []
    for each in refusals:
        fields = each._asdict() | {"limits": limits_json(each.limits)}
        names = (
            "profile_id", "time_ms", "key_id", "status", "code", "denied_by", "log_type_id",
            "channel", "method", "path", "ip", "limits", "retry_at_ms", "is_shadow",
        )  # fmt: skip
        explained.append([fields[name] for name in names])
    harness.call(
        "refusals.note", source=source, sequence=sequence, sums=tally.sums(), explained=explained
    )
