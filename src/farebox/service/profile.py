"""The profile of a workspace: its credits, its plan and what each log type costs it now."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.plan import Plan
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.telling import HeldOf
from farebox.service.credits_now import credits_now
from farebox.service.reading import plan_of
from farebox.store.contract import Reader


class Profile(NamedTuple):
    """What `/profile` tells. `prices_micro` is by slug; a plan without credits has no refills."""

    workspace: Workspace
    plan: Plan
    credit_micro: int
    topup_credit_micro: int
    prices_micro: dict[str, int]
    last_refill_ms: int | None
    next_refill_ms: int | None


def read_profile(
    reader: Reader, directory: Directory, workspace: Workspace, now_ms: int, held: HeldOf
) -> Profile:
    """The profile at an instant; `held` is the gatekeeper's.

    Raises:
        DirectoryBehindError: the directory lacks the plan.
    """
    now = credits_now(reader, workspace.profile_id, now_ms, held)
    plan = plan_of(directory, now.plan_id)
    topups = [
        g.left_micro + g.drawn_micro
        for g in now.purse.grants
        if g.kind == "topup" and g.is_live(now_ms)
    ]
    is_refilled = plan.credits_per_month_micro > 0
    return Profile(
        workspace=workspace,
        plan=plan,
        credit_micro=max(0, now.left_micro(now_ms)),
        topup_credit_micro=sum(topups),
        prices_micro={
            log_type.slug: plan.price(log_type, now_ms).credits_micro
            for log_type in directory.log_types.values()
        },
        last_refill_ms=now.period.start_ms if is_refilled else None,
        next_refill_ms=now.period.end_ms if is_refilled else None,
    )
