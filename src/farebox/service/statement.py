"""The statement of a period: what a provider invoices a workspace from, equal to the ledger.

closing = opening + granted - expired - charged - corrected. Sums come from the period, which the
books keep with every transfer; the lists beside them are what they are made of. Charges of former
periods that were imported in this one stand apart and are in no balance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS, ZoneSince, zone_of
from farebox.core.credits import to_number
from farebox.core.errors import INVALID_FIELD, NOT_FOUND, FareboxError
from farebox.core.instant import MS_PER_SECOND, parse_rfc3339, to_iso_ms
from farebox.core.ledger import GrantKind
from farebox.core.phrase import Phrase
from farebox.core.request import UNKNOWN_NAME
from farebox.engine.transaction import Command, Transaction
from farebox.service.corrections import CorrectionRow, correction_data
from farebox.service.forms.common import Nothing
from farebox.service.forms.money import (
    StatementCharge,
    StatementData,
    StatementGrant,
    StatementOpen,
)
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

LIST_MAX = 1_000
PERIOD_EXPECTED = "the month a period starts in, as YYYY-MM, or an RFC 3339 time within it"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class PeriodRow(NamedTuple):
    """A period with its sums."""

    start_ms: int
    end_ms: int
    plan: str
    opening_micro: int
    granted_micro: int
    expired_micro: int
    charged_micro: int
    corrected_micro: int

    @property
    def closing_micro(self) -> int:
        """The balance at the end, or now."""
        return (
            self.opening_micro
            + self.granted_micro
            - self.expired_micro
            - self.charged_micro
            - self.corrected_micro
        )


class _ChargeRow(NamedTuple):
    slug: str | None
    name: str | None
    requests: int
    credits_micro: int


class _GrantRow(NamedTuple):
    grant_id: int
    kind: GrantKind
    amount_micro: int
    at_ms: int
    expires_at_ms: int | None


def read_statement(
    reader: Reader, profile_id: int, period: str | None, now_ms: int
) -> StatementData:
    """The statement of a period, by default the one that was opened last.

    `period` is the month it starts in (of several the first), or an instant within it.

    Raises:
        FareboxError: 400, `period` is neither; 404, there is no such workspace or period.
    """
    reader.begin_read()
    try:
        workspace = workspace_row(reader, profile_id)
        chosen = _choose(reader, profile_id, period)
        within = {"profile_id": profile_id, "start_ms": chosen.start_ms, "end_ms": chosen.end_ms}
        grants = reader.rows("statement_grants", _GrantRow, count=LIST_MAX + 1, **within)
        expiries = reader.rows("statement_expiries", _GrantRow, count=LIST_MAX + 1, **within)
        corrections = reader.rows(
            "statement_corrections", CorrectionRow, count=LIST_MAX + 1, **within
        )
        charges, history = (_charges(reader, profile_id, chosen, flag) for flag in (0, 1))
    finally:
        reader.end_read()
    return StatementData(
        profile_id=profile_id,
        name=workspace.name,
        plan=chosen.plan,
        timezone=workspace.timezone,
        period_start=to_iso_ms(chosen.start_ms),
        period_end=to_iso_ms(chosen.end_ms),
        is_closed=chosen.end_ms <= now_ms,
        opening_balance=to_number(chosen.opening_micro),
        granted=to_number(chosen.granted_micro),
        expired=to_number(chosen.expired_micro),
        charged=to_number(chosen.charged_micro),
        corrected=to_number(chosen.corrected_micro),
        closing_balance=to_number(chosen.closing_micro),
        grants=_grant_lines(grants),
        charges=_charge_lines(charges),
        expiries=_grant_lines(expiries),
        corrections=[correction_data(row) for row in corrections[:LIST_MAX]],
        history_charged=to_number(sum(row.credits_micro for row in history)),
        history_charges=_charge_lines(history),
        is_cut=max(len(grants), len(expiries), len(corrections)) > LIST_MAX,
    )


def first_period_ms(reader: Reader, profile_id: int) -> int:
    """When the first period of a workspace began."""
    return reader.integer("statement_first", profile_id=profile_id)


def open_period(tx: Transaction, opened: StatementOpen) -> Nothing:
    """Bring a workspace's periods up to the present, where no recorder has run for a while."""
    workspace_row(tx.db, opened.profile_id)
    tx.books.account(opened.profile_id, tx.commit_id, tx.now_ms)
    return Nothing()


def _choose(reader: Reader, profile_id: int, period: str | None) -> PeriodRow:
    periods = reader.rows("statement_periods", PeriodRow, profile_id=profile_id)
    assert periods  # the first one opens with the workspace
    if not period:
        return periods[-1]
    if _MONTH.fullmatch(period):
        zones = reader.rows("statement_zones", ZoneSince, profile_id=profile_id)
        months = _months(periods, zones)
        found = [row for row, month in zip(periods, months, strict=True) if month == period]
    else:
        try:
            at_ms = parse_rfc3339(period)
        except ValueError as error:
            expected = Phrase(PERIOD_EXPECTED)
            raise FareboxError(INVALID_FIELD, field="period", expected=expected) from error
        found = [row for row in periods if row.start_ms <= at_ms < row.end_ms]
    if not found:
        raise FareboxError(NOT_FOUND, what=Phrase("period"))
    return found[0]


def _months(periods: Sequence[PeriodRow], zones: Sequence[ZoneSince]) -> list[str]:
    """The month that each period starts in, in the zone whose boundary its start is.

    A period's end is fixed when it opens: so the start of the next is a boundary of the zone of
    that instant, whatever was chosen since.
    """
    months = []
    fixed_ms = periods[0].start_ms
    for row in periods:
        timezone = zones[0].timezone
        for zone in zones:
            timezone = zone.timezone if zone.from_ms <= fixed_ms else timezone
        local = datetime.fromtimestamp(row.start_ms // MS_PER_SECOND, zone_of(timezone))
        months.append(f"{local:%Y-%m}")
        fixed_ms = row.start_ms
    return months


def _charges(
    reader: Reader, profile_id: int, period: PeriodRow, is_history: int
) -> list[_ChargeRow]:
    return reader.rows(
        "statement_charges",
        _ChargeRow,
        profile_id=profile_id,
        first_quarter=period.start_ms // QUARTER_MS,
        end_quarter=period.end_ms // QUARTER_MS,
        is_history=is_history,
    )


def _charge_lines(rows: Sequence[_ChargeRow]) -> list[StatementCharge]:
    return [
        StatementCharge(
            row.slug, row.name or UNKNOWN_NAME, row.requests, to_number(row.credits_micro)
        )
        for row in rows
    ]


def _grant_lines(rows: Sequence[_GrantRow]) -> list[StatementGrant]:
    return [
        StatementGrant(
            row.grant_id,
            row.kind,
            to_number(row.amount_micro),
            to_iso_ms(row.at_ms),
            None if row.expires_at_ms is None else to_iso_ms(row.expires_at_ms),
        )
        for row in rows[:LIST_MAX]
    ]


COMMANDS = (Command("statement.open", StatementOpen, open_period),)
