"""Grants: credits given to a workspace by hand, beside the plan credits of each period."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.credits import to_number
from farebox.core.instant import to_iso_ms
from farebox.core.ledger import GrantKind
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.money import GrantData, GrantMake
from farebox.service.pages import Page, Turn, page
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader


class _GrantRow(NamedTuple):
    grant_id: int
    kind: GrantKind
    credits_micro: int
    left_micro: int
    priority: int
    created_at_ms: int
    expires_at_ms: int | None


def create_grant(tx: Transaction, made: GrantMake) -> GrantData:
    """Give credits to a workspace; they pay what it owes first."""
    workspace_row(tx.db, made.profile_id)
    credits_micro = fields.credits_above_0("credits", made.credits)
    expires_at_ms = None
    if made.expires_at is not None:
        expires_at_ms = fields.instant_after("expires_at", made.expires_at, tx.now_ms)
    grant_id = tx.books.grant(
        made.profile_id,
        made.kind,
        credits_micro,
        tx.commit_id,
        tx.now_ms,
        expires_at_ms=expires_at_ms,
        priority=made.priority,
    )
    tx.change("create", "grant", grant_id, profile_id=made.profile_id, detail=fields.sent(made))
    # What is left of it is read: it may have paid what was owed.
    tx.books.journal.write()
    row = tx.db.one("grant_get", _GrantRow, profile_id=made.profile_id, grant_id=grant_id)
    assert row is not None
    return _data(row)


def list_grants(reader: Reader, profile_id: int, at: Turn) -> Page[GrantData]:
    """A page of a workspace's grants, the oldest first."""
    workspace_row(reader, profile_id)
    rows = reader.rows(
        "grants_page", _GrantRow, profile_id=profile_id, after=at.after[0], count=at.rows
    )
    found = page(rows, at, lambda row: (row.grant_id, ""))
    return Page([_data(row) for row in found.data], found.next_cursor)


def _data(row: _GrantRow) -> GrantData:
    return GrantData(
        grant_id=row.grant_id,
        kind=row.kind,
        credits=to_number(row.credits_micro),
        credits_left=to_number(row.left_micro),
        priority=row.priority,
        created_at=to_iso_ms(row.created_at_ms),
        expires_at=None if row.expires_at_ms is None else to_iso_ms(row.expires_at_ms),
    )


COMMANDS = (Command("grants.create", GrantMake, create_grant),)
