"""Ending: how reservations end, held to the reference: each in one way, and the same way again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from farebox.core.errors import (
    ABOVE_HOLD,
    RESERVATION_ENDED,
    ROW_REFUSED,
    STORE_UNAVAILABLE,
    FareboxError,
)
from farebox.core.identity import content_digest
from farebox.engine.gatekeeper import Settled
from farebox.service.settle import Outcome
from tests.gate.asking import Asking, Question
from tests.gate.claim import Claim, State
from tests.gate.reference import prices
from tests.gate.wire import Fate
from tests.gate.world import SEAL, Pending, Process


class Ending(Asking):
    """A witness that ends what was admitted."""

    def settle(
        self, process: Process, claim: Claim, outcome: Outcome, fate: Fate | None = None
    ) -> None:
        """Settle a reservation by a process, which need not be the one that made it."""
        reservation = SEAL.open(claim.token)
        content = content_digest(repr((claim.token, outcome)).encode())
        told_micro = outcome.credits_micro
        try:
            row = process.settler.request_of(reservation, outcome, content)
        except FareboxError as error:
            is_above = told_micro is not None and told_micro > claim.held_micro
            if error.kind is not ABOVE_HOLD or not is_above:
                raise
            return
        assert row.credits_micro == _cost(claim, outcome)
        end = self.reference.ends.get(claim.identity)
        is_bad = outcome.status_code == 999

        def finish(result: object) -> None:
            kind = result.kind if isinstance(result, FareboxError) else None
            if kind is STORE_UNAVAILABLE:
                assert fate is not None, result
                return
            if kind is ROW_REFUSED:
                assert is_bad
                assert end is None
                return
            told = end or self.reference.ends.get(claim.identity)
            assert told is not None, f"{result}, but nothing was kept"
            if told.content == content:
                assert isinstance(result, Settled), result
                if fate is None:
                    now_ms = self.world.recorder_clock.now_ms()
                    balance = self.books().balance_micro(claim.profile_id, now_ms)
                    assert result.balance_micro == balance, "the balance of the answer"
                assert not result.is_late or claim.reservation.is_expired(process.clock.now_ms())
            else:
                assert kind is RESERVATION_ENDED, result

        self._end(process, claim, process.gatekeeper.settle(reservation, row), fate, finish)

    def void(self, process: Process, claim: Claim, fate: Fate | None = None) -> None:
        """Void a reservation by a process, which need not be the one that made it."""
        end = self.reference.ends.get(claim.identity)

        def finish(result: object) -> None:
            kind = result.kind if isinstance(result, FareboxError) else None
            if kind is STORE_UNAVAILABLE:
                assert fate is not None, result
                return
            told = end or self.reference.ends.get(claim.identity)
            assert told is not None, "a void was answered and not kept"
            if told.content is None:
                assert result is None, result
            else:
                assert kind is RESERVATION_ENDED, result

        reservation = SEAL.open(claim.token)
        self._end(process, claim, process.gatekeeper.void(reservation), fate, finish)

    def _end(
        self,
        process: Process,
        claim: Claim,
        work: Coroutine[Any, Any, object],
        fate: Fate | None,
        finish: Callable[[object], None],
    ) -> None:
        was_held = process.holds(claim)
        process.wire.end_fate, process.wire.about = fate, [claim]
        task = self.world.loop.create_task(_outcome(work))
        pending = Pending(claim, task, was_held, finish)
        self.world.run_out()
        process.wire.end_fate = None
        self._reap(process)
        if task.done():
            self._ended(process, pending)
        else:
            claim.is_limbo = True
            process.pending.append(pending)

    def answer(self, process: Process, *, is_cancelled: bool) -> None:
        """Let what is on its way longest come through; its sender may have gone before."""
        held = process.wire.held[0]
        if is_cancelled:
            pending = next(p for p in process.pending if p.claim in held.about)
            process.pending.remove(pending)
            pending.task.cancel()
            self.world.run_out()
            self._ended(process, pending._replace(finish=lambda _result: None))
        if held in process.wire.held:
            process.wire.held.remove(held)
            process.wire.hand_over(held)
        self.world.run_out()
        self._reap(process)

    # -- middleware ------------------------------------------------------------------------------

    def serve(self, process: Process, question: Question) -> None:
        """Admit a call as a middleware does: its hold lasts as long as it."""
        for hold, claim in self.authorize(process, question._replace(expires=False)):
            self.served.append((process, hold, claim, None))

    def served_done(self, at: int, credits_micro: int | None, fate: Fate | None) -> None:
        """Record a call that a middleware has made; what fails is tried again with the same row."""
        process, hold, claim, row = self.served.pop(at % len(self.served))
        if row is None:
            row = process.settler.request_of_hold(hold, Outcome(200, credits_micro))
        process.wire.end_fate, process.wire.about = fate, [claim]
        was_held = process.holds(claim)
        try:
            recorded = self.world.run(process.gatekeeper.record([(hold, row)]))
        except FareboxError as error:
            if error.kind is not STORE_UNAVAILABLE or fate is None:
                raise
            self.served.append((process, hold, claim, row))
        else:
            assert not recorded.conflicts
            assert not recorded.rejected
        finally:
            process.wire.end_fate = None
            self._reap(process)
        if was_held or claim.is_taken:
            claim.is_limbo = False
        self._returned.add(claim.profile_id)

    def served_never(self, at: int) -> None:
        """Give back what was held for a call that was not made."""
        process, hold, claim, row = self.served.pop(at % len(self.served))
        if row is not None:
            self.served.append((process, hold, claim, row))
            return
        if process.holds(claim):
            claim.state = State.GONE
        elif claim.state is State.OPEN:
            claim.state = State.EXPIRED
        process.gatekeeper.void_now(hold)
        self._returned.add(claim.profile_id)


def _cost(claim: Claim, outcome: Outcome) -> int:
    """What a settlement costs: as told, nothing for a failed call, else the price."""
    if outcome.credits_micro is not None:
        return outcome.credits_micro
    if outcome.status_code is not None and outcome.status_code >= 400:
        return 0
    return min(prices(str(claim.asked[1]))[0], claim.held_micro)


async def _outcome(work: Coroutine[Any, Any, object]) -> object:
    """What came of some work, or the error that it met."""
    try:
        return await work
    except (FareboxError, asyncio.CancelledError) as error:
        return error
