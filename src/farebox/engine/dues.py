"""Dues: which workspaces something ends of by itself, and when: a period, or a grant.

Each workspace tells in its row when that is, or an earlier instant. What is due soon is read now
and then, so much of it as a page holds; what this node's own commits add is noted between.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from farebox.store.contract import Writer

# Where others write, what is due may be another instant than is known here.
READ_EVERY_MS = 60_000
# Longer than that: nothing may be due between two looks.
AHEAD_MS = 2 * READ_EVERY_MS
PAGE = 1_000
# Many periods end at one midnight: what waits to be recorded gets its turn in between.
PER_COMMIT_MAX = 250


class _Due(NamedTuple):
    due_ms: int
    profile_id: int


class Dues:
    """Those of one database, the next ones."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._heap: list[_Due] = []
        self._due_of: dict[int, int] = {}
        self._read_ms: int | None = None
        self._until_ms = 0
        self._is_cut = False

    @property
    def next_ms(self) -> int | None:
        """When something ends; not soon, as far as is known."""
        return self._heap[0].due_ms if self._heap else None

    def is_time_to_read(self, now_ms: int) -> bool:
        """Whether something may be due that isn't known here."""
        if self._read_ms is None or (self._is_cut and not self._heap):
            return True
        return now_ms - self._read_ms >= READ_EVERY_MS

    def read(self, now_ms: int) -> None:
        """Know what is due soon."""
        until_ms = now_ms + AHEAD_MS
        # In order, which makes it a heap.
        self._heap = self._db.rows("dues", _Due, until_ms=until_ms, count=PAGE)
        self._due_of = {due.profile_id: due.due_ms for due in self._heap}
        self._is_cut = len(self._heap) == PAGE
        self._until_ms = self._heap[-1].due_ms if self._is_cut else until_ms
        self._read_ms = now_ms

    def note(self, dues: Iterable[tuple[int, int]]) -> None:
        """Take what a commit has moved: (due_ms, profile_id)."""
        for due_ms, profile_id in dues:
            if due_ms <= self._until_ms and self._due_of.get(profile_id) != due_ms:
                self._due_of[profile_id] = due_ms
                heapq.heappush(self._heap, _Due(due_ms, profile_id))

    def take(self, now_ms: int) -> list[int]:
        """Workspaces of which something has ended by now, so many as one commit may hold."""
        taken: list[int] = []
        while len(taken) < PER_COMMIT_MAX and self._heap and self._heap[0].due_ms <= now_ms:
            profile_id = heapq.heappop(self._heap).profile_id
            self._due_of.pop(profile_id, None)
            taken.append(profile_id)
        return taken
