"""Alerts: thresholds of a workspace's limits, each told once a window.

A firing is a row that there can be once for a workspace, alert, window and threshold; the event is
written in its transaction. So however many processes notice it, it is told once, or not at all if
the commit failed: then it is noticed again.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.alert import AlertChannel, AlertKind, are_thresholds
from farebox.core.credits import to_number
from farebox.core.errors import NOT_FOUND, TOO_MANY, FareboxError
from farebox.core.instant import MS_PER_DAY, to_iso_ms
from farebox.core.key import mint_id
from farebox.core.phrase import Phrase
from farebox.core.webhook import ALERT_FIRED
from farebox.engine.outbox import Value, emit
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.alert import (
    AlertData,
    AlertEnd,
    AlertFired,
    AlertMake,
    AlertsFire,
    AlertsFiredNow,
    Crossing,
)
from farebox.service.forms.common import Nothing, Number
from farebox.service.pages import Page, Turn, page
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

ALERTS_MAX = 20
FIRED_SHOWN_MAX = 20
FIRED_KEPT_MS = 400 * MS_PER_DAY
FORGET_AT_ONCE = 200
CREDITS = "credits"
THRESHOLDS_EXPECTED = "1 to 10 integers from 1 to 1000, each above the one before"


class AlertRow(NamedTuple):
    """An alert; `thresholds` is a JSON list."""

    profile_id: int
    alert_id: str
    kind: AlertKind
    channel: AlertChannel | None
    thresholds: str
    created_at_ms: int


class _FiredRow(NamedTuple):
    window_start_ms: int
    threshold_percent: int
    window_end_ms: int
    used: int
    allowed: int
    user_id: str | None
    fired_at_ms: int


def create_alert(tx: Transaction, made: AlertMake) -> AlertData:
    """Make an alert. What is over a threshold already is told at the next look."""
    workspace_row(tx.db, made.profile_id)
    if not are_thresholds(made.thresholds):
        raise fields.refuse(field="thresholds", expected=Phrase(THRESHOLDS_EXPECTED))
    if (made.kind == CREDITS) != (made.channel is None):
        expected = Phrase("null for credits, and one of api, portal otherwise")
        raise fields.refuse(field="channel", expected=expected)
    if tx.db.integer("alerts_count", profile_id=made.profile_id) >= ALERTS_MAX:
        raise FareboxError(TOO_MANY, most=ALERTS_MAX)
    row = AlertRow(
        made.profile_id,
        mint_id("alr_", tx.entropy.random_below),
        made.kind,
        made.channel,
        msgspec.json.encode(made.thresholds).decode(),
        tx.now_ms,
    )
    tx.db.execute("alert_insert", **row._asdict())
    tx.change("create", "alert", row.alert_id, profile_id=row.profile_id)
    return _data(tx.db, row)


def delete_alert(tx: Transaction, end: AlertEnd) -> Nothing:
    """End an alert; what it has told is forgotten with it."""
    row = alert_row(tx.db, end.profile_id, end.alert_id)
    tx.db.execute("alert_firings_delete", profile_id=row.profile_id, alert_id=row.alert_id)
    tx.db.execute("alert_delete", profile_id=row.profile_id, alert_id=row.alert_id)
    tx.change("delete", "alert", row.alert_id, profile_id=row.profile_id)
    return Nothing()


def fire(tx: Transaction, told: AlertsFire) -> AlertsFiredNow:
    """Tell what was not told yet. An alert that has ended meanwhile tells nothing."""
    count = 0
    for crossing in told.crossings:
        row = tx.db.one(
            "alert_get", AlertRow, profile_id=crossing.profile_id, alert_id=crossing.alert_id
        )
        if row is not None and _insert(tx, crossing):
            count += 1
            data = _event(tx.db, row, crossing)
            emit(tx.db, row.profile_id, ALERT_FIRED, data, tx.now_ms, tx.entropy)
    before_ms = tx.now_ms - FIRED_KEPT_MS
    tx.db.execute("alert_firings_forget", before_ms=before_ms, count=FORGET_AT_ONCE)
    return AlertsFiredNow(count)


def alert_row(reader: Reader, profile_id: int, alert_id: str) -> AlertRow:
    """An alert of a workspace.

    Raises:
        FareboxError: 404, the workspace has no such alert.
    """
    row = reader.one("alert_get", AlertRow, profile_id=profile_id, alert_id=alert_id)
    if row is None:
        raise FareboxError(NOT_FOUND, what=Phrase("alert"))
    return row


def list_alerts(reader: Reader, profile_id: int, at: Turn) -> Page[AlertData]:
    """A page of a workspace's alerts, the oldest first, with what they have told last."""
    workspace_row(reader, profile_id)
    rows = reader.rows(
        "alerts_page",
        AlertRow,
        profile_id=profile_id,
        after_ms=at.after[0],
        after_id=at.after[1],
        count=at.rows,
    )
    found = page(rows, at, lambda row: (row.created_at_ms, row.alert_id))
    return Page([_data(reader, row) for row in found.data], found.next_cursor)


def _insert(tx: Transaction, crossing: Crossing) -> int:
    return tx.db.execute(
        "alert_firing_insert",
        profile_id=crossing.profile_id,
        alert_id=crossing.alert_id,
        window_start_ms=crossing.window_start_ms,
        threshold_percent=crossing.threshold_percent,
        window_end_ms=crossing.window_end_ms,
        used=crossing.used,
        allowed=crossing.allowed,
        user_id=crossing.user_id,
        fired_at_ms=tx.now_ms,
    )


def _event(reader: Reader, row: AlertRow, crossing: Crossing) -> dict[str, Value]:
    data: dict[str, Value] = {
        "profile_id": row.profile_id,
        "name": workspace_row(reader, row.profile_id).name,
        "alert_id": row.alert_id,
        "kind": row.kind,
        "channel": row.channel,
        "threshold_percent": crossing.threshold_percent,
        "used": _amount(row.kind, crossing.used),
        "limit": _amount(row.kind, crossing.allowed),
        "window_start": to_iso_ms(crossing.window_start_ms),
        "window_end": to_iso_ms(crossing.window_end_ms),
    }
    if crossing.user_id is not None:
        data["user_id"] = crossing.user_id
    return data


def _data(reader: Reader, row: AlertRow) -> AlertData:
    fired = reader.rows(
        "alert_firings_last",
        _FiredRow,
        profile_id=row.profile_id,
        alert_id=row.alert_id,
        count=FIRED_SHOWN_MAX,
    )
    return AlertData(
        alert_id=row.alert_id,
        kind=row.kind,
        channel=row.channel,
        thresholds=msgspec.json.decode(row.thresholds, type=list[int]),
        created_at=to_iso_ms(row.created_at_ms),
        fired=[_fired(row.kind, told) for told in fired],
    )


def _fired(kind: AlertKind, told: _FiredRow) -> AlertFired:
    return AlertFired(
        threshold_percent=told.threshold_percent,
        used=_amount(kind, told.used),
        limit=_amount(kind, told.allowed),
        window_start=to_iso_ms(told.window_start_ms),
        window_end=to_iso_ms(told.window_end_ms),
        user_id=told.user_id,
        fired_at=to_iso_ms(told.fired_at_ms),
    )


def _amount(kind: AlertKind, value: int) -> Number:
    """Requests as they are; micro-credits as credits."""
    return to_number(value) if kind == CREDITS else value


COMMANDS = (
    Command("alerts.create", AlertMake, create_alert),
    Command("alerts.delete", AlertEnd, delete_alert),
    Command("alerts.fire", AlertsFire, fire),
)
