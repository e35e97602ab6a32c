"""The ledger of a workspace: every movement of its credits, the newest first.

Each line tells the balance after it. What processes draw beforehand and return moves no credits
for people, and is left out unless it is asked for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from farebox.core.identity import format_uuid
from farebox.core.ledger import OVERDRAFT, GrantKind, TransferKind
from farebox.service.pages import KEY_END, Page, Turn, no_cursor, page
from farebox.service.reading import snapshot
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

_PLACE = re.compile(r"(\d{1,18})\.(\d{1,18})\.(-?\d{1,18})", re.ASCII)
_OF_GRANT = re.compile(r"(grant|drawn):(\d+)", re.ASCII)


class LedgerAccount(NamedTuple):
    """An account for people: `issued`, `spent`, `expired`, `overdraft`, `history`, or a grant's.

    `name` is `grant` for what is free of a grant, `drawn` for what processes have drawn of it.
    """

    name: str
    grant_id: int | None = None
    grant_kind: GrantKind | None = None


class LedgerLine(NamedTuple):
    """One transfer. `balance_micro` is what the workspace had after it, below 0 when it owed.

    `at_ms` is when it counts, `committed_at_ms` when it was written. A correction tells its reason,
    and the id of its request.
    """

    at_ms: int
    committed_at_ms: int
    kind: TransferKind
    debit: LedgerAccount
    credit: LedgerAccount
    amount_micro: int
    balance_micro: int
    reason: str | None
    query_log_id: str | None


class _Row(NamedTuple):
    at_ms: int
    commit_id: int
    ordinal: int
    committed_at_ms: int
    kind: TransferKind
    debit_account: str
    credit_account: str
    amount_micro: int
    reason: str | None
    query_log_id: str | None

    @property
    def effect_micro(self) -> int:
        """What it does to the balance."""
        return self.amount_micro * (_is_own(self.credit_account) - _is_own(self.debit_account))


class _GrantRow(NamedTuple):
    grant_id: int
    kind: GrantKind


class _Place(NamedTuple):
    """A line, and the balance before it."""

    at_ms: int
    commit_id: int
    ordinal: int
    balance_micro: int


def read_ledger(
    reader: Reader, profile_id: int, at: Turn, *, with_draws: bool = False
) -> Page[LedgerLine]:
    """A page of the ledger.

    Raises:
        FareboxError: 404, there is no such workspace; 400, no cursor of a ledger.
    """
    with snapshot(reader):
        workspace_row(reader, profile_id)
        before = _place(reader, profile_id, at)
        rows = reader.rows(
            "ledger_page",
            _Row,
            profile_id=profile_id,
            at_ms=before.at_ms,
            commit_id=before.commit_id,
            ordinal=before.ordinal,
            with_draws=int(with_draws),
            count=at.rows,
        )
        kinds = _grant_kinds(reader, profile_id, rows)
    lines = []
    balances = {}
    balance_micro = before.balance_micro
    for row in rows:
        lines.append(_line(row, balance_micro, kinds))
        balance_micro -= row.effect_micro
        balances[row] = balance_micro
    kept = page(rows, at, lambda row: (row.at_ms, f"{row.commit_id}.{row.ordinal}.{balances[row]}"))
    return Page(lines[: len(kept.data)], kept.next_cursor)


def _place(reader: Reader, profile_id: int, at: Turn) -> _Place:
    at_ms, text = at.after
    if not text:
        balance_micro = reader.integer("ledger_balance", profile_id=profile_id)
        return _Place(KEY_END - 1, KEY_END - 1, KEY_END - 1, balance_micro)
    match = _PLACE.fullmatch(text)
    if match is None:
        raise no_cursor()
    return _Place(at_ms, *map(int, match.groups()))


def _grant_kinds(reader: Reader, profile_id: int, rows: list[_Row]) -> dict[int, GrantKind]:
    accounts = {name for row in rows for name in (row.debit_account, row.credit_account)}
    ids = [int(match[2]) for name in accounts if (match := _OF_GRANT.fullmatch(name))]
    if not ids:
        return {}
    found = reader.rows(
        "ledger_grants", _GrantRow, profile_id=profile_id, first_id=min(ids), last_id=max(ids)
    )
    return dict(found)


def _line(row: _Row, balance_micro: int, kinds: dict[int, GrantKind]) -> LedgerLine:
    return LedgerLine(
        at_ms=row.at_ms,
        committed_at_ms=row.committed_at_ms,
        kind=row.kind,
        debit=_account(row.debit_account, kinds),
        credit=_account(row.credit_account, kinds),
        amount_micro=row.amount_micro,
        balance_micro=balance_micro,
        reason=row.reason if row.kind == "correction" else None,
        query_log_id=_request_id(row) if row.kind == "correction" else None,
    )


def _request_id(row: _Row) -> str | None:
    """The id of its request as people see it."""
    return None if row.query_log_id is None else format_uuid(bytes.fromhex(row.query_log_id))


def _account(name: str, kinds: dict[int, GrantKind]) -> LedgerAccount:
    match = _OF_GRANT.fullmatch(name)
    if match is None:
        return LedgerAccount(name)
    grant_id = int(match[2])
    return LedgerAccount(match[1], grant_id, kinds.get(grant_id))


def _is_own(account: str) -> bool:
    """Whether a balance is made of it."""
    return account == OVERDRAFT or _OF_GRANT.fullmatch(account) is not None
