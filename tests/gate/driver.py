"""The driver: all that one run can do, and what it does to processes as a whole."""

from __future__ import annotations

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine.leases import SILENT_MS
from farebox.service.credits_now import credits_now
from tests.gate.claim import State
from tests.gate.ending import Ending
from tests.gate.wire import Fate
from tests.gate.world import BACK_MS_MAX, TICK_MS, Process

# When silence is noticed at the latest: the recorder may have to wait for its own clock first.
ROUNDS_MAX = (SILENT_MS + BACK_MS_MAX) // TICK_MS + 2


class Driver(Ending):
    """One run's."""

    def renew(self, process: Process, *, fate: Fate | None = None) -> None:
        """What a process does a few times a second."""
        self.follow(process)
        process.wire.fate = fate
        try:
            self.world.run(process.gatekeeper.renew())
        except FareboxError as error:
            if error.kind is not STORE_UNAVAILABLE or fate is None:
                raise
        process.wire.fate = None
        self._reap(process)

    def agree(self) -> None:
        """Renew for a while; then all tell the same credits: the balance less what is held."""
        for _ in range(ROUNDS_MAX):
            # Where the recorder's clock had stepped ahead, silence is noticed later by as much.
            self.world.pass_time(TICK_MS)
            # One hears that another has ended what it held, tells it with its next renewal, and
            # the others hear it with theirs: less than the second that is promised.
            for process in self.world.processes * 3:
                self.renew(process)
            books = self.books()
            if books.live_leases <= {p.lease_id for p in self.world.processes}:
                break
        else:
            message = "the lease of a process that is gone never ended"
            raise AssertionError(message)
        now_ms = self.world.recorder_clock.now_ms()
        for profile_id in self.reference.workspaces:
            left_micro = books.balance_micro(profile_id, now_ms) - books.ended_micro(
                profile_id, now_ms
            )
            for process in self.world.processes:
                left_micro -= process.held_micro(profile_id)
            for process in self.world.processes:
                now = credits_now(process.reader, profile_id, now_ms, process.gatekeeper.held)
                told = now.left_micro(now_ms)
                assert told == left_micro, f"{told} told by {process.number}, {left_micro} are left"

    def crash(self, process: Process, *, is_noticed: bool = False) -> None:
        """Kill a process; what it held for calls without an end is for nobody any more.

        The recorder notices that it hangs up, or else that it is silent.
        """
        for pending in process.pending:
            claim = pending.claim
            claim.is_limbo = claim.state is State.GONE
        self.world.crash(process)
        if is_noticed:
            process.wire.hang_up()
        self._forget(process)

    def close(self, process: Process) -> None:
        """End a process as it should end."""
        self.world.run(process.gatekeeper.close())
        self.crash(process)

    def _forget(self, process: Process) -> None:
        self.served = [one for one in self.served if one[0] is not process]
        for claim in self.reference.claims:
            if claim.owner == process.number and not claim.reservation.expires_ms:
                claim.state = State.EXPIRED if claim.state is State.OPEN else claim.state
