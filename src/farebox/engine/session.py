"""A session: an open database and what the recorder remembers of it.

It knows what time alone demands: grants that expire and periods that end at an instant, and days
that are built anew after a change of zone. After a rollback its memory is forgotten, after a fault
it is dropped whole.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

from farebox.engine.answers import Answers
from farebox.engine.books import Books
from farebox.engine.counters import Counters
from farebox.engine.days import Days
from farebox.engine.draws import Draws
from farebox.engine.entropy import Entropy
from farebox.engine.leases import Leases
from farebox.engine.limits import Limits
from farebox.engine.supply import Supplier
from farebox.engine.teller import Teller
from farebox.engine.top_up import TopUps
from farebox.store.contract import Writer

ACTOR = "farebox"
# Many periods end at one midnight: what waits to be recorded gets its turn in between.
DUES_PER_COMMIT_MAX = 250


class _Due(NamedTuple):
    profile_id: int
    due_ms: int


class Session:
    """One connection's. `building` are the workspaces whose days are being built."""

    def __init__(self, db: Writer, entropy: Entropy, now_ms: int) -> None:
        self.db = db
        self.books = Books(db)
        self.days = Days(db)
        self.counters = Counters(db)
        self.limits = Limits(db)
        self.top_ups = TopUps(db, self.books, entropy)
        self.draws = Draws(db)
        supplier = Supplier(self.books, self.draws, self.counters, self.limits)
        self.leases = Leases(self.draws, supplier)
        self.teller = Teller(db, self.draws, supplier, self.leases)
        self.answers = Answers(db)
        self.building = set(self.days.building())
        self._last_commit_id = db.integer("commits_last")
        self._dues = [(row.due_ms, row.profile_id) for row in db.rows("dues", _Due)]
        heapq.heapify(self._dues)
        self._end_leases(now_ms)

    def begin(self) -> int:
        """Open a transaction; the id of its commit."""
        self.db.begin()
        self.books.start_commit()
        return self._last_commit_id + 1

    def commit(self, commit_id: int, now_ms: int) -> None:
        """Announce plans that changed with their period, commit, and note what is due next."""
        for profile_id in self.top_ups.pass_crossings(commit_id, now_ms):
            self._announce("auto_top_up", profile_id, now_ms)
        for profile_id in sorted(self.books.replanned):
            self._announce("take_next_plan", profile_id, now_ms)
        for profile_id in sorted(self.books.overdrawn):
            self._announce("overdraw", profile_id, now_ms)
        self.draws.write()
        self.db.commit()
        self._last_commit_id = commit_id
        if self.books.replanned:
            self.limits.forget()
        self.books.replanned.clear()
        self.books.overdrawn.clear()
        for due in self.books.take_dues():
            heapq.heappush(self._dues, due)

    def forget(self) -> None:
        """After a rollback: memory may be ahead of the database."""
        self.books.forget()
        self.days.forget()
        self.counters.forget()
        self.changed()
        self.draws.forget()

    def changed(self) -> None:
        """After a command: terms may be other ones than those in memory."""
        self.limits.forget()
        self.top_ups.forget()

    def rezoned(self) -> None:
        """After a change of zones: there are days to be built."""
        self.days.forget()
        self.building = set(self.days.building())

    @property
    def due_ms(self) -> int | None:
        """When something ends by itself; never, as far as is known."""
        return self._dues[0][0] if self._dues else None

    def pass_dues(self, now_ms: int) -> None:
        """Let end what has ended by now, in one commit, so much of it as one may hold."""
        commit_id = self.begin()
        for _ in range(DUES_PER_COMMIT_MAX):
            if not self._dues or self._dues[0][0] > now_ms:
                break
            _, profile_id = heapq.heappop(self._dues)
            self.books.pass_dues(profile_id, commit_id, now_ms)
        self.db.execute("commits_insert", commit_id=commit_id, at_ms=now_ms)
        self.commit(commit_id, now_ms)

    def pass_leases(self, now_ms: int) -> None:
        """Let end what silent processes had drawn, in one commit."""
        commit_id = self.begin()
        self.leases.pass_time(commit_id, now_ms)
        self.db.execute("commits_insert", commit_id=commit_id, at_ms=now_ms)
        self.commit(commit_id, now_ms)

    def build_days(self, now_ms: int) -> None:
        """One step of building the days of one workspace."""
        profile_id = min(self.building)
        self.db.begin()
        if self.days.step(profile_id):
            self._announce("switch_zone", profile_id, now_ms)
        self.db.commit()
        self.building = set(self.days.building())

    def _end_leases(self, now_ms: int) -> None:
        """Nobody's draws are trusted over a change of session; a process begins a new lease."""
        if any(lease.ended_at_ms is None for lease in self.draws.leases()):
            self.db.begin()
            self.leases.end_all(now_ms)
            self.db.commit()

    def _announce(self, action: str, profile_id: int, now_ms: int) -> None:
        """Tell every process that a workspace is not what it was."""
        self.db.execute(
            "changes_insert",
            at_ms=now_ms,
            actor=ACTOR,
            action=action,
            kind="workspace",
            ref=str(profile_id),
            profile_id=profile_id,
            detail="{}",
        )
