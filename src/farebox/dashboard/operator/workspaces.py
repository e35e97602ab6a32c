"""Workspaces: their list with how they fare, a new one, and one of them to look at or change."""

from __future__ import annotations

from typing import get_args

from starlette.responses import Response

from farebox.core.calendar import zone_names
from farebox.core.errors import FareboxError
from farebox.core.workspace import Status
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import Typed, read_change, read_struct, typed_of
from farebox.dashboard.visit import Visit
from farebox.service.forms.workspace import WorkspaceChange, WorkspaceCreate, WorkspaceData
from farebox.service.workspace_health import (
    DAYS_DEFAULT,
    WorkspaceFilter,
    list_workspace_health,
    read_workspace_health,
)
from farebox.service.workspaces import read_workspace
from farebox.store.contract import Reader

_TERMS = (
    "name",
    "description",
    "plan",
    "timezone",
    "licences",
    "is_quota_sharing_enabled",
    "anchor_day",
    "status",
    "is_auto_top_up_credits_enabled",
    "auto_top_up_credit",
    "auto_top_up_balance_fall_below",
    "is_auto_top_up_granted",
)
_NEW = (*_TERMS, "owner_nickname", "owner_email")
_BLANK: Typed = {
    **dict.fromkeys(_NEW, ""),
    **{name: False for name in _TERMS if name.startswith("is_")},
    "timezone": "UTC",
    "licences": "1",
    "anchor_day": "1",
    "status": "active",
}


async def show_workspaces(visit: Visit) -> Response:
    """The list, of those that are sought."""
    status = next((s for s in get_args(Status) if s == visit.query("status")), None)
    wanted = WorkspaceFilter(visit.query("search") or None, status, visit.query("plan") or None)

    def work(reader: Reader) -> Response:
        found = list_workspace_health(
            reader,
            wanted,
            turn_of(visit),
            visit.now_ms,
            visit.desk.gatekeeper.held,
        )
        return visit.page(
            "operator/workspaces.html",
            found=found,
            wanted=wanted,
            days=DAYS_DEFAULT,
            plans=_plans(visit),
        )

    return await visit.read(work)


async def show_new_workspace(visit: Visit, status: int = 200) -> Response:
    """The form of a new one."""
    return await visit.show(
        "operator/workspace_new.html",
        status=status,
        typed=_BLANK,
        plans=_plans(visit),
        zones=sorted(zone_names()),
    )


async def make_workspace(visit: Visit) -> Response:
    """Make one, with its owner."""
    try:
        form = read_struct(visit, WorkspaceCreate, _NEW)
        made = await visit.write("workspaces.create", form, WorkspaceData)
    except FareboxError as error:
        return await show_new_workspace(visit, blame(visit, error))
    return visit.go(f"{visit.root}/workspaces/{made.profile_id}?said=made")


async def show_workspace(visit: Visit) -> Response:
    """One, and how it fares."""
    profile_id = visit.profile_id

    def work(reader: Reader) -> Response:
        return visit.page(
            "operator/workspace.html",
            data=read_workspace(reader, profile_id),
            health=read_workspace_health(
                reader, profile_id, visit.now_ms, visit.desk.gatekeeper.held
            ),
            days=DAYS_DEFAULT,
            said=visit.query("said"),
        )

    return await visit.read(work)


async def show_terms(visit: Visit, status: int = 200) -> Response:
    """The form of what can be changed."""
    profile_id = visit.profile_id

    def work(reader: Reader) -> Response:
        data = read_workspace(reader, profile_id)
        return visit.page(
            "operator/workspace_terms.html",
            status=status,
            data=data,
            typed=typed_of(data, visit.zone),
            plans=_plans(visit),
            zones=sorted(zone_names()),
        )

    return await visit.read(work)


async def change_terms(visit: Visit) -> Response:
    """Change some of it."""
    profile_id = visit.profile_id
    shown = typed_of(
        await visit.read(lambda reader: read_workspace(reader, profile_id)), visit.zone
    )
    try:
        form = read_change(visit, WorkspaceChange, _TERMS, shown, profile_id=profile_id)
        await visit.write("workspaces.change", form, WorkspaceData)
    except FareboxError as error:
        return await show_terms(visit, blame(visit, error))
    return visit.go(f"{visit.place}?said=changed")


def _plans(visit: Visit) -> list[tuple[str, str]]:
    """All plans by name: slugs and names."""
    found = visit.desk.directory.plans.values()
    ordered = sorted(found, key=lambda plan: (plan.name.casefold(), plan.slug))
    return [(plan.slug, plan.name) for plan in ordered]
