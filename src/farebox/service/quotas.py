"""Quotas of a workspace: the credits of its current period (seed: quotas)."""

from __future__ import annotations

from farebox.core.quotas import Quotas, quotas
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.service.credits_now import credits_now
from farebox.store.contract import Reader


def read_quotas(reader: Reader, directory: Directory, workspace: Workspace, now_ms: int) -> Quotas:
    """The quotas at an instant."""
    now = credits_now(reader, workspace.profile_id, now_ms)
    plan = directory.plans.get(now.plan_id)
    return quotas(
        workspace.name,
        workspace.uid,
        None if plan is None else plan.name,
        now.period,
        now.purse.balance_micro(now_ms),
    )
