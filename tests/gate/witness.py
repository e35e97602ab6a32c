"""The witness: sees all that happens in the world, and tells the reference of it.

What the recorder has done counts from then on, whatever its sender will hear of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from farebox.core.errors import RESERVATION_ENDED, FareboxError
from farebox.core.identity import VOID_CONTENT
from farebox.core.request import MeteredRequest
from farebox.engine.claims import Identity
from farebox.engine.holds import Hold
from farebox.engine.known import json_identities
from farebox.engine.messages import Message, Record, Reply, Void
from tests.gate.checks import Checks, Recorded
from tests.gate.claim import Claim, State
from tests.gate.reference import End, first_reference
from tests.gate.scene import START_MS, scene
from tests.gate.view import Books, read_books
from tests.gate.world import Pending, Process, World


class Witness:
    """One run's."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(scene().database)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self.reference = first_reference(scene().keys)
        self.world = World(path, START_MS)
        self.world.on_handled = self._handled
        self.world.on_time = self._time_passed
        self.checks = Checks(self.reference)
        self.served: list[tuple[Process, Hold, Claim, MeteredRequest | None]] = []
        self._recorded: list[Recorded] = []
        # Workspaces to which credits have come back: grants may then pay in another order.
        self._returned: set[int] = set()
        self.world.tick()
        self.world.start()

    # -- what holds at any moment ----------------------------------------------------------------

    def follow(self, process: Process) -> None:
        """Have a process read what has changed."""
        process.directory.refresh(process.reader)
        process.followed_ms = self.world.machine.steady_ms

    def sweep(self) -> None:
        """Let reservations expire, by the clock of whoever holds them."""
        clocks = {p.number: p.clock for p in self.world.processes}
        recorder_ms = self.world.recorder_clock.now_ms()
        books: Books | None = None
        for claim in self.reference.claims:
            if claim.state is not State.OPEN:
                continue
            expires_ms = claim.reservation.expires_ms
            clock = clocks.get(claim.owner, self.world.recorder_clock)
            if not expires_ms or clock.now_ms() < expires_ms:
                is_over = self.world.machine.steady_ms >= claim.ends_steady_ms
                if expires_ms and recorder_ms < expires_ms and not is_over:
                    continue
                books = books or self.books()
                if not self._is_given_up(claim, books):
                    continue
            claim.state = State.EXPIRED
            self._returned.add(claim.profile_id)

    @staticmethod
    def _is_given_up(claim: Claim, books: Books) -> bool:
        """Whether the recorder no longer holds what it was admitted by, for its lease is over.

        A live call's hold lasts as long as it, but not where its process had fallen silent; and
        where the recorder's clock had to step ahead, a reservation ends by that one; where it
        began anew and behind, by the time that has passed.
        """
        lots = {(claim.lease_id, lot_id) for lot_id, _ in claim.reservation.grants}
        return claim.lease_id not in books.live_leases and not lots & books.lots.keys()

    def check(self) -> None:
        """Everything that must hold after a step."""
        self.sweep()
        recorded, self._recorded = self._recorded, []
        self.checks.all(self.books(), self.world.recorder_clock.now_ms(), recorded)

    def books(self) -> Books:
        """What the database says."""
        return read_books(self.world.reader)

    def _time_passed(self) -> None:
        now_ms = self.world.recorder_clock.now_ms()
        for workspace in self.reference.workspaces.values():
            workspace.pass_time(now_ms)

    def _handled(self, message: Message, _reply: Reply, about: Sequence[Claim]) -> None:
        """Take note of what a message has done, whatever its sender will hear of it."""
        self._time_passed()
        if not about:
            return
        books = self.books()
        if isinstance(message, Record):
            for row, spend, claim in zip(message.rows, message.spends, about, strict=True):
                if not self._has_ended(claim, row.content):
                    continue
                claim.state, claim.is_limbo = State.SETTLED, True
                claim.charged_micro = row.credits_micro
                is_live = self._is_live(spend.lease_id, books)
                claim.is_taken = spend.lease_id == message.lease_id or not is_live
                taken = dict(spend.pieces).get(claim.reservation.cap_lot_id, 0)
                claim.reported_micro = row.credits_micro - (taken if claim.is_taken else 0)
                self.reference.workspaces[claim.profile_id].charged_micro += row.credits_micro
                self._recorded.append(Recorded(claim, claim.is_taken))
        elif isinstance(message, Void):
            (claim,) = about
            if self._has_ended(claim, None):
                claim.state = State.GONE
                is_over = claim.lease_id in books.live_leases | books.ended_leases
                claim.is_limbo = not is_over or self._is_live(claim.lease_id, books)

    def _is_live(self, lease_id: int, books: Books) -> bool:
        """Whether a lease is open, as far as the recorder knows."""
        return lease_id in books.live_leases and lease_id not in self.world.hung_up

    def _has_ended(self, claim: Claim, content: bytes | None) -> bool:
        """Whether a claim has ended by this message, and in this way."""
        if claim.identity in self.reference.ends:
            return False
        stored = self.world.reader.one(
            "identities_stored", Identity, identities=json_identities([claim.identity])
        )
        if stored is None or stored.content != (VOID_CONTENT if content is None else content):
            assert stored is None
            return False
        self.reference.ends[claim.identity] = End(content)
        return True

    # -- ends that were answered -----------------------------------------------------------------

    def _ended(self, process: Process, pending: Pending) -> None:
        """An end was answered, or nobody knows."""
        claim, result = pending.claim, pending.task.result()
        is_told = pending.was_held and process.lease_id == claim.lease_id
        # Its identity had ended before, settled or voided: what it had taken is free.
        is_refused = result is None or (
            isinstance(result, FareboxError) and result.kind is RESERVATION_ENDED
        )
        if is_told:
            if is_refused and claim.state in (State.OPEN, State.EXPIRED):
                claim.state = State.GONE
            claim.is_limbo = False
        elif claim.state in (State.OPEN, State.EXPIRED) or claim.is_taken:
            claim.is_limbo = False
        self._returned.add(claim.profile_id)
        pending.finish(result)

    def _reap(self, process: Process) -> None:
        """Look at the ends that were answered meanwhile."""
        for pending in [p for p in process.pending if p.task.done()]:
            process.pending.remove(pending)
            self._ended(process, pending)
