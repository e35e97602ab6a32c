"""Claims: who is first with an identity, of a request or of a void.

The usual claim has no repeats, and is made without looking: the count of identities inserted
proves it. Only when it is short are the repeats looked up. Where others write, a claim may go ahead
of its transaction's work, with what is read for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from farebox.engine.known import json_identities
from farebox.store.contract import Changed, Writer

# Begins as an `Identity` does.
Row = TypeVar("Row", bound=tuple[Any, ...])


class Identity(NamedTuple):
    """What is claimed. The same content again is a duplicate, another one a conflict."""

    profile_id: int
    identity: bytes
    content: bytes


class Claimed(NamedTuple, Generic[Row]):
    """Rows by who was first; all but `fresh` by their index."""

    fresh: list[Row]
    duplicates: list[int]
    conflicts: list[int]


class Claims:
    """Those of one connection. Called inside transactions."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._ahead: Changed | None = None

    def forget(self) -> None:
        """Drop what was claimed ahead and not asked for."""
        self._ahead = None

    def claim_ahead(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Claim what the next `claim` is of, and wait for nothing."""
        self._ahead = self._insert(rows)

    def claim(self, rows: Sequence[Row]) -> Claimed[Row]:
        """Take the identities of rows for them, each for the first row that has it."""
        claimed = Claimed(list(rows), [], [])
        inserted, self._ahead = self._ahead or self._insert(rows), None
        while inserted.count() != len(claimed.fresh):
            # Somebody else may have had one in between: then it is stored by now.
            self._db.rollback_to_savepoint()
            claimed = self._without_repeats(rows)
            inserted = self._insert(claimed.fresh)
        self._db.release_savepoint()
        return claimed

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> Changed:
        """In the order that all nodes take."""
        self._db.savepoint()
        return self._db.ask_many("identities_insert", sorted(row[:3] for row in rows))

    def _without_repeats(self, rows: Sequence[Row]) -> Claimed[Row]:
        asked = json_identities([row[:2] for row in rows])
        stored = self._db.rows("identities_stored", Identity, identities=asked)
        seen = {one[:2]: one.content for one in stored}
        claimed = Claimed[Row]([], [], [])
        for index, row in enumerate(rows):
            content = seen.get(row[:2])
            if content is None:
                seen[row[:2]] = row[2]
                claimed.fresh.append(row)
            else:
                (claimed.duplicates if content == row[2] else claimed.conflicts).append(index)
        return claimed
