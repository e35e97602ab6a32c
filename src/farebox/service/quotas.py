"""Quotas of a workspace: the credits of its current period (seed: quotas)."""

from __future__ import annotations

from farebox.core.quotas import Quotas, quotas
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.engine.telling import HeldOf
from farebox.service.credits_now import CreditsNow, credits_now
from farebox.service.reading import plan_of
from farebox.store.contract import Reader


def read_quotas(
    reader: Reader, directory: Directory, workspace: Workspace, now_ms: int, held: HeldOf
) -> Quotas:
    """The quotas at an instant; `held` is the gatekeeper's.

    Raises:
        DirectoryBehindError: the directory lacks the plan.
    """
    return quotas_of(
        directory, workspace, credits_now(reader, workspace.profile_id, now_ms, held), now_ms
    )


def quotas_of(directory: Directory, workspace: Workspace, now: CreditsNow, now_ms: int) -> Quotas:
    """The quotas at the instant of some credits.

    Raises:
        DirectoryBehindError: the directory lacks the plan.
    """
    return quotas(
        workspace.name,
        workspace.uid,
        plan_of(directory, now.plan_id).name,
        now.period,
        now.left_micro(now_ms),
    )
