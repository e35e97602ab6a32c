"""Audits: what each audit found that was kept, the newest first."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.phrase import Phrase
from farebox.service.forms.audit import AuditData
from farebox.service.pages import KEY_END, Page, Turn, page
from farebox.store.contract import Reader


class AuditEntry(NamedTuple):
    """An audit of the history: when it ran, how many log rows it read, and what differed."""

    audit_id: int
    started_at_ms: int
    ended_at_ms: int
    requests: int
    differences: int


class AuditTold(NamedTuple):
    """One with every check and the first differences; `data` is None where they weren't kept."""

    entry: AuditEntry
    data: AuditData | None


class _Row(NamedTuple):
    audit_id: int
    started_at_ms: int
    ended_at_ms: int
    requests: int
    differences: int
    detail: str


def list_audits(reader: Reader, at: Turn) -> Page[AuditEntry]:
    """A page of the history, the newest first."""
    before = at.after[0] or KEY_END - 1
    rows = reader.rows("audits_page", AuditEntry, before=before, count=at.rows)
    return page(rows, at, lambda row: (row.audit_id, ""))


def read_audit(reader: Reader, audit_id: int) -> AuditTold:
    """One of the history.

    Raises:
        FareboxError: 404, there is none, or it is no longer kept.
    """
    row = reader.one("audit_get", _Row, audit_id=audit_id)
    if row is None:
        raise FareboxError(NOT_FOUND, what=Phrase("audit"))
    return AuditTold(AuditEntry._make(row[:5]), _data(row.detail))


def _data(detail: str) -> AuditData | None:
    try:
        return msgspec.json.decode(detail, type=AuditData)
    except msgspec.MsgspecError:
        return None
