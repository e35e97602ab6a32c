"""Quotas of a workspace: the credits of its current period (seed: quotas)."""

from __future__ import annotations

from farebox.core.quotas import Quotas, quotas
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.service.credits_now import credits_now
from farebox.service.reading import plan_of
from farebox.store.contract import Reader


def read_quotas(
    reader: Reader, directory: Directory, workspace: Workspace, now_ms: int, held_micro: int = 0
) -> Quotas:
    """The quotas at an instant; `held_micro` is what reservations hold.

    Raises:
        DirectoryBehindError: the directory lacks the plan.
    """
    now = credits_now(reader, workspace.profile_id, now_ms)
    return quotas(
        workspace.name,
        workspace.uid,
        plan_of(directory, now.plan_id).name,
        now.period,
        now.purse.balance_micro(now_ms) - held_micro,
    )
