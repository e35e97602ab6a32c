"""Corrections: what a request cost, put right afterwards.

A correction moves credits of the present: above 0 it charges more, even below zero, and below 0 it
gives back as a grant that doesn't expire. The request and every report stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.credits import to_number
from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.identity import format_uuid, parse_uuid
from farebox.core.instant import to_iso_ms
from farebox.core.phrase import Phrase
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.money import CorrectionData, CorrectionMake
from farebox.service.pages import Page, Turn, page
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

REASON_LENGTH_MAX = 500


class CorrectionRow(NamedTuple):
    """A correction as it is read."""

    correction_id: int
    query_log_id: bytes
    credits_micro: int
    reason: str
    at_ms: int


def create_correction(tx: Transaction, made: CorrectionMake) -> CorrectionData:
    """Correct what a request of the workspace cost."""
    workspace_row(tx.db, made.profile_id)
    query_log_id = parse_uuid(made.request_id)
    if query_log_id is None or not tx.db.integer(
        "correction_request", profile_id=made.profile_id, query_log_id=query_log_id
    ):
        raise FareboxError(NOT_FOUND, what=Phrase("request"))
    correction = CorrectionRow(
        tx.db.integer("correction_last", profile_id=made.profile_id) + 1,
        query_log_id,
        fields.credits_signed("credits", made.credits),
        fields.text("reason", made.reason, REASON_LENGTH_MAX),
        tx.now_ms,
    )
    tx.books.correct(made.profile_id, correction.credits_micro, tx.commit_id, tx.now_ms)
    tx.db.execute(
        "correction_insert",
        profile_id=made.profile_id,
        commit_id=tx.commit_id,
        **correction._asdict(),
    )
    tx.change(
        "create",
        "correction",
        correction.correction_id,
        profile_id=made.profile_id,
        detail=fields.sent(made),
    )
    return correction_data(correction)


def list_corrections(reader: Reader, profile_id: int, at: Turn) -> Page[CorrectionData]:
    """A page of a workspace's corrections, the oldest first."""
    workspace_row(reader, profile_id)
    rows = reader.rows(
        "corrections_page",
        CorrectionRow,
        profile_id=profile_id,
        after=at.after[0],
        count=at.rows,
    )
    found = page(rows, at, lambda row: (row.correction_id, ""))
    return Page([correction_data(row) for row in found.data], found.next_cursor)


def correction_data(row: CorrectionRow) -> CorrectionData:
    """A correction as it goes out."""
    return CorrectionData(
        correction_id=row.correction_id,
        request_id=format_uuid(row.query_log_id),
        credits=to_number(row.credits_micro),
        reason=row.reason,
        created_at=to_iso_ms(row.at_ms),
    )


COMMANDS = (Command("corrections.create", CorrectionMake, create_correction),)
