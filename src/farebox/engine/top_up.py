"""Auto top-up: what happens when a workspace's credits fall below the mark that it has set.

Each commit looks at the balances that it lowered: one that was at the mark or above, and no longer
is, is a crossing. It is told once, with the commit itself; if the workspace is so set, its credits
are granted in that commit, too. The next crossing needs a balance that has risen again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.credits import to_number
from farebox.core.webhook import AUTO_TOP_UP
from farebox.engine.books import Books
from farebox.engine.entropy import Entropy
from farebox.engine.known import json_ids
from farebox.engine.outbox import emit
from farebox.store.contract import Writer


class TopUpRow(NamedTuple):
    """The mark that a workspace has set."""

    profile_id: int
    credit_micro: int
    fall_below_micro: int
    is_granted: int


class TopUps:
    """Those of one database. Called before a transaction is committed."""

    def __init__(self, db: Writer, books: Books, entropy: Entropy) -> None:
        self._db = db
        self._books = books
        self._entropy = entropy
        self._terms: dict[int, TopUpRow | None] = {}

    def forget(self) -> None:
        """Drop the terms in memory; they may have changed."""
        self._terms.clear()

    def know(self, profile_ids: Iterable[int], rows: Iterable[TopUpRow]) -> None:
        """Take what was read of workspaces; those without a row have set no mark."""
        self._terms.update(dict.fromkeys(profile_ids))
        self._terms.update({row.profile_id: row for row in rows})

    def has_mark(self, profile_id: int) -> bool:
        """Whether a workspace has set a mark."""
        return self._of(profile_id) is not None

    def pass_crossings(self, commit_id: int, now_ms: int) -> list[int]:
        """Tell of every crossing of this commit; the workspaces that were granted credits."""
        granted = []
        for profile_id, net_micro in sorted(self._books.journal.take_net().items()):
            terms = self._of(profile_id)
            if terms is None:
                continue
            balance_micro = self._books.account(profile_id, commit_id, now_ms).purse.book_micro
            before_micro = None if net_micro is None else balance_micro - net_micro
            is_low = balance_micro < terms.fall_below_micro
            if is_low and (before_micro is None or before_micro >= terms.fall_below_micro):
                self._tell(profile_id, terms, balance_micro, now_ms)
                if terms.is_granted:
                    credit_micro = terms.credit_micro
                    self._books.grant(profile_id, "topup", credit_micro, commit_id, now_ms)
                    granted.append(profile_id)
        self._books.journal.take_net()
        return granted

    def _tell(self, profile_id: int, terms: TopUpRow, balance_micro: int, now_ms: int) -> None:
        data = {
            "profile_id": profile_id,
            "balance": to_number(balance_micro),
            "auto_top_up_credit": to_number(terms.credit_micro),
            "auto_top_up_balance_fall_below": to_number(terms.fall_below_micro),
            "is_granted": bool(terms.is_granted),
        }
        emit(self._db, profile_id, AUTO_TOP_UP, data, now_ms, self._entropy)

    def _of(self, profile_id: int) -> TopUpRow | None:
        if profile_id not in self._terms:
            ids = [profile_id]
            self.know(ids, self._db.rows("top_ups_of", TopUpRow, profile_ids=json_ids(ids)))
        return self._terms[profile_id]
