"""A session: an open database and what the recorder remembers of it.

Where nobody else writes, its memory is good until a rollback. Where others write too, each
transaction takes its locks first, reads what it needs in the same round trip, and forgets it at
its end. It knows what time alone demands: grants that expire and periods that end at an instant,
leases that are over, and days that are built anew after a change of zone. After a fault all of it
is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from farebox.engine.answers import Answers
from farebox.engine.books import Books
from farebox.engine.claims import Claims
from farebox.engine.counters import Counters
from farebox.engine.days import Days
from farebox.engine.draws import Draws
from farebox.engine.dues import Dues
from farebox.engine.ends import EndRow, Ends
from farebox.engine.entropy import Entropy
from farebox.engine.held import Held, LockNeededError
from farebox.engine.leases import Due, Leases, Litter
from farebox.engine.limits import Limits
from farebox.engine.messages import Draw
from farebox.engine.nodes import NodeRow, Nodes
from farebox.engine.read_ahead import Parts, Scope, read_ahead
from farebox.engine.recalls import Recalls
from farebox.engine.supply import Supplier
from farebox.engine.tally import Tally
from farebox.engine.teller import Teller
from farebox.engine.top_up import TopUps
from farebox.engine.zones import Zones
from farebox.store.contract import Locks, Writer

ACTOR = "farebox"
# A database server has room for some thousand locks.
PROFILES_PER_COMMIT_MAX = 500

Result = TypeVar("Result")


class Session:
    """One connection's. `building` are the workspaces whose days are being built.

    `gone_id` is the node that this recorder was before.
    """

    def __init__(self, db: Writer, entropy: Entropy, now_ms: int, gone_id: int = 0) -> None:
        self.db = db
        self._held = Held()
        self.nodes = Nodes(db, entropy)
        self.claims = Claims(db)
        self.zones = Zones(db)
        self.books = Books(db, self._held)
        self.days = Days(db, self.zones)
        self.counters = Counters(db, self.zones)
        self.limits = Limits(db, self.zones)
        self.top_ups = TopUps(db, self.books, entropy)
        adopted = self.nodes.enter(gone_id, now_ms)
        self.draws = Draws(db, self._held, self.nodes.node_id)
        self.recalls = Recalls(db)
        self.ends = Ends(db)
        self.tally = Tally()
        self.supplier = Supplier(self.books, self.draws, self.counters, self.limits, self.recalls)
        self.leases = Leases(db, self.draws, self.supplier)
        self.teller = Teller(
            self.claims, self.draws, self.supplier, self.leases, self.recalls, self.ends
        )
        self.answers = Answers(db)
        self._parts = Parts(
            self.nodes, self.books, self.zones, self.limits, self.top_ups, self.draws
        )
        self.building: set[int] = set()
        # Workspaces whose balance has a mark, as they were seen last.
        self._marked: set[int] = set()
        self._dues = Dues(db)
        self.leases.note({lease.lease_id: lease for lease in adopted})
        self.read_dues(now_ms)

    # -- transactions ----------------------------------------------------------------------------

    def run(self, scope: Scope, work: Callable[[int], Result]) -> Result:
        """Do some work in a transaction, up to its commit, which is the work's own.

        Where it turns out that it must hold a workspace alone, it is done again from the start.
        """
        scope = scope.holding(self._marked & scope.shared)
        while True:
            try:
                return work(self._begin(scope))
            except LockNeededError as needed:
                self.db.rollback()
                self.forget()
                scope = scope.holding({needed.profile_id})

    def begin_alone(self) -> int:
        """Open a transaction that keeps everybody else out; the id of its commit."""
        return self._begin(None)

    def commit(self, commit_id: int, now_ms: int) -> None:
        """Announce plans that changed with their period, commit, and note what is due next."""
        for profile_id in self.top_ups.pass_crossings(commit_id, now_ms):
            self._announce("auto_top_up", profile_id, now_ms)
        for profile_id in sorted(self.books.replanned):
            self._announce("take_next_plan", profile_id, now_ms)
        for profile_id in sorted(self.books.overdrawn):
            self._announce("overdraw", profile_id, now_ms)
        self.books.write(now_ms)
        self.draws.write()
        self.nodes.renew_with(now_ms)
        self.db.commit()
        changes = self.draws.take_lease_changes()
        self.leases.note(changes)
        self.ends.forget_leases(lease_id for lease_id, lease in changes.items() if lease is None)
        self.tally.end(
            lease_id
            for lease_id, lease in changes.items()
            if lease is None or lease.ended_at_ms is not None
        )
        self.recalls.committed()
        if self.books.replanned:
            self.limits.forget()
        self.books.replanned.clear()
        self.books.overdrawn.clear()
        dues = self.books.take_dues()
        if self.nodes.is_first:
            self._dues.note(dues)

    def undo(self) -> None:
        """Roll back; memory may be ahead of the database."""
        self.db.rollback()
        self.forget()

    def forget(self) -> None:
        """Drop what a transaction has made of the memory."""
        self.claims.forget()
        self.books.forget()
        self.counters.forget()
        self.changed()
        self.draws.forget()
        self.recalls.forget()

    def changed(self) -> None:
        """After a command: terms may be other ones than those in memory."""
        self.zones.forget()
        self.limits.forget()
        self.top_ups.forget()

    def read_building(self) -> None:
        """Know which days are being built: after a change of zones, and now and then."""
        self.building = set(self.days.building())

    def is_idle(self, draw: Draw) -> bool:
        """Whether a draw is known to move nothing, before anything is read for it."""
        is_renewal = not (draw.wants or draw.returns or draw.is_last)
        return is_renewal or (self.db.is_alone and self.teller.is_idle(draw))

    # -- what time demands -----------------------------------------------------------------------

    @property
    def due_ms(self) -> int | None:
        """When something ends by itself; not soon, as far as is known."""
        return self._dues.next_ms

    def has_due(self, now_ms: int) -> bool:
        """Whether something has ended by itself and is to be passed."""
        if self._dues.is_time_to_read(now_ms):
            self.read_dues(now_ms)
        return self.due_ms is not None and self.due_ms <= now_ms

    def read_dues(self, now_ms: int) -> None:
        """Know what is due soon, and which days are being built."""
        self._dues.read(now_ms)
        self.read_building()

    def pass_dues(self, now_ms: int) -> None:
        """Let end what has ended by now, in one commit, so much of it as one may hold."""
        due = self._dues.take(now_ms)

        def work(commit_id: int) -> None:
            self.books.pass_dues(due, commit_id, now_ms)
            self.db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
            self.commit(commit_id, now_ms)

        self.run(Scope(alone=frozenset(due)), work)

    def pass_leases(self, due: Due, now_ms: int) -> None:
        """Let end what silent processes had drawn, in one commit."""

        def work(commit_id: int) -> None:
            self.leases.pass_time(due, commit_id, now_ms)
            self.db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
            self.commit(commit_id, now_ms)

        of: set[int] = set()
        if not self.db.is_alone:
            of = self.draws.profiles_of_credits(due.over, PROFILES_PER_COMMIT_MAX)
        self.run(Scope(alone=frozenset(of), lease_ids=frozenset(due.silent + due.over)), work)
        if len(of) < PROFILES_PER_COMMIT_MAX:
            self.leases.passed(due)

    def sweep(self, litter: Litter, now_ms: int) -> None:
        """Forget what is over for good."""

        def work(commit_id: int) -> None:
            if not self.db.is_alone:
                self.draws.know(litter.closed, [])
            self.leases.sweep(litter)
            # The instant must be kept: a clock that begins anew must not open a window again.
            self.db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
            self.commit(commit_id, now_ms)

        self.run(Scope(alone=frozenset(lot.profile_id for lot in litter.closed)), work)

    def forget_ends(self, rows: list[EndRow], now_ms: int) -> None:
        """Forget ends that the processes that held them have heard."""

        def work(commit_id: int) -> None:
            self.ends.forget(rows)
            self.commit(commit_id, now_ms)

        self.run(Scope(), work)
        self.ends.forgotten()

    def adopt(self, gone: NodeRow, now_ms: int) -> bool:
        """End a node that is silent, and take its leases over; False where another one does."""
        adopted = self.nodes.adopt(gone, now_ms)
        self.leases.note({lease.lease_id: lease for lease in adopted or []})
        return adopted is not None

    def build_days(self, now_ms: int) -> None:
        """One step of building the days of one workspace."""
        profile_id = min(self.building)

        def work(commit_id: int) -> None:
            if self.days.step(profile_id):
                self._announce("switch_zone", profile_id, now_ms)
            self.commit(commit_id, now_ms)

        self.run(Scope(alone=frozenset([profile_id])), work)
        self.read_building()

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, scope: Scope | None) -> int:
        """Without a scope it is about everything: then nothing is read ahead."""
        self.db.begin(scope.locks if scope else Locks(is_alone=True))
        self._held.take(scope.alone if scope and not self.db.is_alone else None)
        if not self.db.is_alone:
            self.forget()
            if scope:
                if scope.claims:
                    self.claims.claim_ahead(scope.claims)
                read_ahead(self.db, self._parts, scope)
                self._hold_marked(scope)
            else:
                self.nodes.check(self.nodes.ask())
        self.books.journal.start_commit()
        return self.db.commit_id()

    def _hold_marked(self, scope: Scope) -> None:
        """Hold those alone whose balance has a mark: what others add could pass it unseen."""
        for profile_id in scope.shared:
            if self.top_ups.has_mark(profile_id):
                self._marked.add(profile_id)
                self._held.need(profile_id)
            else:
                self._marked.discard(profile_id)

    def _announce(self, action: str, profile_id: int, now_ms: int) -> None:
        """Tell every process that a workspace is not what it was."""
        self.db.send(
            "changes_insert",
            at_ms=now_ms,
            actor=ACTOR,
            action=action,
            kind="workspace",
            ref=str(profile_id),
            profile_id=profile_id,
            detail="{}",
        )
