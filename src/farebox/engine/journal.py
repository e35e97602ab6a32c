"""The journal: what a commit moves of credits, kept until its end and written at once.

Accounts and periods are added to once a commit each, however many movements there were, and in the
order of their keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from farebox.core.ledger import Transfer, account_sums, moved_by
from farebox.store.contract import Writer


class Journal:
    """Movements of one transaction at a time."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._ordinal = 0
        self._transfers: list[tuple[int | str, ...]] = []
        # Debits and credits.
        self._accounts: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
        self._periods: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        # What this commit adds to each balance; None where a new mark may lie above it.
        self._net_micro: dict[int, int | None] = {}

    def start_commit(self) -> None:
        """A new commit numbers its transfers from 1."""
        self._ordinal = 0

    def forget(self) -> None:
        """Drop what was not written."""
        self._clear()
        self._net_micro.clear()

    def add(
        self,
        profile_id: int,
        period_start_ms: int,
        transfers: Sequence[Transfer],
        commit_id: int,
        at_ms: int,
    ) -> None:
        """Note transfers of a workspace, and the period that they fall in."""
        for account, (debits_micro, credits_micro) in account_sums(transfers).items():
            sums = self._accounts[profile_id, account]
            sums[0] += debits_micro
            sums[1] += credits_micro
        for transfer in transfers:
            self._ordinal += 1
            self._transfers.append((profile_id, commit_id, self._ordinal, at_ms, *transfer))
        moved = moved_by(transfers)
        if any(moved):
            sums = self._periods[profile_id, period_start_ms]
            for place, micro in enumerate(moved):
                sums[place] += micro
            net_micro = self._net_micro.get(profile_id, 0)
            if net_micro is not None:
                self._net_micro[profile_id] = net_micro + moved.net_micro

    def write(self) -> None:
        """Write what was noted: before the commit, or before it is read in the transaction."""
        self._db.send_many("transfers_insert", sorted(self._transfers))
        self._db.send_many("accounts_add", _rows(self._accounts))
        self._db.send_many("periods_add", _rows(self._periods))
        self._clear()

    def reconsider(self, profile_id: int) -> None:
        """Take the balance as fallen, if it is below the mark: the mark has been moved."""
        self._net_micro[profile_id] = None

    def take_net(self) -> dict[int, int | None]:
        """What this commit adds to the balances it moves; None is not known to have fallen."""
        net_micro, self._net_micro = self._net_micro, {}
        return net_micro

    def _clear(self) -> None:
        self._transfers.clear()
        self._accounts.clear()
        self._periods.clear()


def _rows(
    sums: dict[tuple[int, str], list[int]] | dict[tuple[int, int], list[int]],
) -> list[tuple[int | str, ...]]:
    return sorted((*key, *amounts) for key, amounts in sums.items())
