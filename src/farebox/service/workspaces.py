"""Workspaces: make, change and read them.

A workspace is made with its owner and the plan credits of its first period. A plan with more
monthly credits, or as many, counts at once and grants the difference; one with fewer waits for the
next period. A new timezone counts at once for what begins from now on; its days are built anew.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET

from farebox.core.credits import to_number
from farebox.core.errors import IN_USE, NOT_FOUND, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.phrase import Phrase
from farebox.core.workspace import NAME_LENGTH_MAX, Status
from farebox.engine.entropy import new_uuid
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.auto_top_up import AutoTopUp, changed
from farebox.service.forms.common import Number
from farebox.service.forms.workspace import WorkspaceChange, WorkspaceCreate, WorkspaceData
from farebox.service.pages import Page, Turn, page
from farebox.service.plans import PlanRow, plan_row
from farebox.service.users import Seats, insert_owner
from farebox.store.contract import Reader

DESCRIPTION_LENGTH_MAX = 500


class WorkspaceRow(NamedTuple):
    """A workspace as it is read."""

    profile_id: int
    uid: str
    name: str
    description: str
    plan: str
    next_plan: str | None
    timezone: str
    licences: int
    is_quota_sharing_enabled: int
    anchor_day: int
    status: Status
    is_auto_top_up_credits_enabled: int
    auto_top_up_credit_micro: int | None
    auto_top_up_balance_fall_below_micro: int | None
    is_auto_top_up_granted: int
    owner_user_id: str
    created_at_ms: int

    @property
    def auto_top_up(self) -> AutoTopUp:
        """The terms of its auto top-up."""
        return AutoTopUp(
            self.is_auto_top_up_credits_enabled,
            self.auto_top_up_credit_micro,
            self.auto_top_up_balance_fall_below_micro,
            self.is_auto_top_up_granted,
        )


def create_workspace(tx: Transaction, made: WorkspaceCreate) -> WorkspaceData:
    """Make a workspace, with its owner and its first period."""
    plan = _plan(tx, made.plan)
    profile_id = tx.db.integer("workspace_last") + 1
    name = fields.text("name", made.name, NAME_LENGTH_MAX)
    timezone = fields.timezone("timezone", made.timezone)
    tx.db.execute(
        "workspace_insert",
        profile_id=profile_id,
        uid=new_uuid(tx.entropy),
        name=name,
        description=_description(made.description),
        plan_id=plan.plan_id,
        timezone=timezone,
        licences=made.licences,
        is_quota_sharing_enabled=int(made.is_quota_sharing_enabled),
        anchor_day=made.anchor_day,
        status=made.status,
        created_at_ms=tx.now_ms,
        **changed(AutoTopUp(), made)._asdict(),
    )
    tx.db.execute(
        "zone_insert",
        profile_id=profile_id,
        zone_version=1,
        from_ms=tx.now_ms,
        timezone=timezone,
        built_quarter=None,
    )
    tx.db.execute(
        "workspace_plans_insert", profile_id=profile_id, from_ms=tx.now_ms, plan_id=plan.plan_id
    )
    insert_owner(tx, profile_id, made.owner_nickname or name, made.owner_email)
    tx.change("create", "workspace", profile_id, profile_id=profile_id)
    # Opens the first period, with its plan credits.
    tx.books.account(profile_id, tx.commit_id, tx.now_ms)
    return read_workspace(tx.db, profile_id)


def change_workspace(tx: Transaction, change: WorkspaceChange) -> WorkspaceData:
    """Change a workspace."""
    before = workspace_row(tx.db, change.profile_id)
    # What ended before this instant ends by the terms that were valid then.
    tx.books.account(before.profile_id, tx.commit_id, tx.now_ms)
    row = _changed(tx, before, change)
    tx.db.execute(
        "workspace_update",
        profile_id=row.profile_id,
        name=row.name,
        description=row.description,
        timezone=row.timezone,
        licences=row.licences,
        is_quota_sharing_enabled=row.is_quota_sharing_enabled,
        anchor_day=row.anchor_day,
        status=row.status,
        **row.auto_top_up._asdict(),
    )
    if row.timezone != before.timezone:
        _rezone(tx, row.profile_id, row.timezone)
    if row.auto_top_up != before.auto_top_up:
        tx.books.journal.reconsider(row.profile_id)
    if change.plan is not UNSET:
        _replan(tx, row.profile_id, _plan(tx, change.plan))
    tx.change(
        "change",
        "workspace",
        row.profile_id,
        profile_id=row.profile_id,
        detail=fields.sent(change),
    )
    return read_workspace(tx.db, row.profile_id)


def workspace_row(reader: Reader, profile_id: int) -> WorkspaceRow:
    """The workspace with an id.

    Raises:
        FareboxError: 404, there is none.
    """
    row = reader.one("workspace_get", WorkspaceRow, profile_id=profile_id)
    if row is None:
        raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
    return row


def read_workspace(reader: Reader, profile_id: int) -> WorkspaceData:
    """The workspace with an id."""
    return _data(workspace_row(reader, profile_id))


def list_workspaces(reader: Reader, at: Turn) -> Page[WorkspaceData]:
    """A page of workspaces, the oldest first."""
    rows = reader.rows("workspaces_page", WorkspaceRow, after=at.after[0], count=at.rows)
    found = page(rows, at, lambda row: (row.profile_id, ""))
    return Page([_data(row) for row in found.data], found.next_cursor)


def _changed(tx: Transaction, row: WorkspaceRow, change: WorkspaceChange) -> WorkspaceRow:
    if change.name is not UNSET:
        row = row._replace(name=fields.text("name", change.name, NAME_LENGTH_MAX))
    if change.description is not UNSET:
        row = row._replace(description=_description(change.description))
    if change.timezone is not UNSET:
        row = row._replace(timezone=fields.timezone("timezone", change.timezone))
    if change.licences is not UNSET:
        seats = tx.db.one("seats", Seats, profile_id=row.profile_id)
        if seats is not None and change.licences < seats.users:
            reason = Phrase("the workspace has {users} users", users=seats.users)
            raise FareboxError(IN_USE, what=Phrase("licence"), reason=reason)
        row = row._replace(licences=change.licences)
    if change.is_quota_sharing_enabled is not UNSET:
        row = row._replace(is_quota_sharing_enabled=int(change.is_quota_sharing_enabled))
    if change.anchor_day is not UNSET:
        row = row._replace(anchor_day=change.anchor_day)
    if change.status is not UNSET:
        row = row._replace(status=change.status)
    return row._replace(**changed(row.auto_top_up, change)._asdict())


def _rezone(tx: Transaction, profile_id: int, timezone: str) -> None:
    """A new version of the zone; its days are built from the quarter hours with traffic."""
    version = tx.db.integer("workspace_zone_last", profile_id=profile_id) + 1
    first = tx.db.value("quarter_next", profile_id=profile_id, quarter=0)
    tx.db.execute(
        "zone_insert",
        profile_id=profile_id,
        zone_version=version,
        from_ms=tx.now_ms,
        timezone=timezone,
        built_quarter=first,
    )
    if first is None:
        tx.db.execute("zone_switch", profile_id=profile_id, zone_version=version)
    else:
        tx.rezoned.add(profile_id)
    tx.zones.forget(profile_id)


def _replan(tx: Transaction, profile_id: int, plan: PlanRow) -> None:
    """Another plan: at once if it gives no less, else from the next period on."""
    current = plan_row(tx.db, workspace_row(tx.db, profile_id).plan)
    is_now = plan.credits_per_month_micro >= current.credits_per_month_micro
    tx.db.execute(
        "workspace_plan_set",
        profile_id=profile_id,
        plan_id=plan.plan_id if is_now else current.plan_id,
        next_plan_id=None if is_now else plan.plan_id,
    )
    if is_now and plan.plan_id != current.plan_id:
        tx.db.execute(
            "workspace_plans_insert",
            profile_id=profile_id,
            from_ms=tx.now_ms,
            plan_id=plan.plan_id,
        )
        tx.books.move_plan(
            profile_id, plan.plan_id, plan.credits_per_month_micro, tx.commit_id, tx.now_ms
        )


def _plan(tx: Transaction, slug: str) -> PlanRow:
    plan = tx.db.one("plan_of_slug", PlanRow, slug=slug)
    if plan is None:
        raise fields.refuse(field="plan", expected=Phrase("the slug of a plan"))
    return plan


def _description(value: str) -> str:
    return fields.text("description", value, DESCRIPTION_LENGTH_MAX, length_min=0)


def _number(micro: int | None) -> Number | None:
    return None if micro is None else to_number(micro)


def _data(row: WorkspaceRow) -> WorkspaceData:
    return WorkspaceData(
        profile_id=row.profile_id,
        uid=row.uid,
        name=row.name,
        description=row.description,
        plan=row.plan,
        next_plan=row.next_plan,
        timezone=row.timezone,
        licences=row.licences,
        is_quota_sharing_enabled=bool(row.is_quota_sharing_enabled),
        anchor_day=row.anchor_day,
        status=row.status,
        is_auto_top_up_credits_enabled=bool(row.is_auto_top_up_credits_enabled),
        auto_top_up_credit=_number(row.auto_top_up_credit_micro),
        auto_top_up_balance_fall_below=_number(row.auto_top_up_balance_fall_below_micro),
        is_auto_top_up_granted=bool(row.is_auto_top_up_granted),
        owner_user_id=row.owner_user_id,
        created_at=to_iso_ms(row.created_at_ms),
    )


COMMANDS = (
    Command("workspaces.create", WorkspaceCreate, create_workspace),
    Command("workspaces.change", WorkspaceChange, change_workspace),
)
