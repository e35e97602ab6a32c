"""The gatekeeper: the gate of a process beside its event loop, and its way to the recorder.

It decides at once where the gate can. Else it draws: all that waits goes in one message, and while
one is under way the next collects. A few times a second it renews the lease, brings back what is
not needed, and so keeps the gate's trust. Whenever it doesn't know what became of a message it
gives the lease up.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from farebox.core.admission import Denial, LimitState
from farebox.core.errors import (
    QUEUE_FULL,
    RESERVATION_ENDED,
    ROW_REFUSED,
    FareboxError,
)
from farebox.core.request import Capture, MeteredRequest
from farebox.engine import partings
from farebox.engine.clock import Clock
from farebox.engine.entropy import Entropy
from farebox.engine.gate import Counts, Gate
from farebox.engine.holds import Ask, Hold
from farebox.engine.link import Link, unavailable
from farebox.engine.messages import NodeTold, Recorded
from farebox.engine.reservation import Reservation
from farebox.engine.telling import HeldHere

RENEW_SECONDS = 0.25
# How often to look whether others have given back what they were told to, or whether the recorder
# has come to where this process's clock is.
WAIT_SECONDS = 0.05
DECIDE_SECONDS_MAX = 2.0
HOLDS_MAX = 1_000_000
LEASE_ID_BITS = 62
log = logging.getLogger("farebox.gate")


class Settled(NamedTuple):
    """What became of a settlement: the balance after it, and whether it came after expiry."""

    balance_micro: int
    is_late: bool


class Gatekeeper:
    """One per process. `decide_now` may be called from any thread, the rest from one event loop."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        entropy: Entropy,
        *,
        hold_ms: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        part_times_max: int = partings.TIMES_MAX,
    ) -> None:
        self._pause = pause
        self._link = link
        self._clock = clock
        self._entropy = entropy
        self.hold_ms = hold_ms
        self._lock = threading.Lock()
        self._gate = Gate(self._new_lease_id())
        self._drawing: asyncio.Task[None] | None = None
        # Of the recorder, by the last draw.
        self._is_ahead = False
        self._renewing: asyncio.Task[None] | None = None
        self._partings = partings.Partings(link, hold_ms=hold_ms, times_max=part_times_max)
        # What the recorder has told of itself last; None with a file.
        self.node: NodeTold | None = None
        self.leases_given_up = 0

    # -- deciding --------------------------------------------------------------------------------

    def decide_now(self, ask: Ask, now_ms: int) -> Hold | Denial | None:
        """What the gate says without waiting; None when it must know more.

        Raises:
            FareboxError: 409, another request was admitted under its id; 503, too many are held.
        """
        with self._lock:
            if len(self._gate.holds) >= HOLDS_MAX:
                raise FareboxError(QUEUE_FULL, retry_after_seconds=1)
            return self._gate.decide(ask, now_ms)

    async def decide(self, ask: Ask) -> Hold | Denial:
        """Admit or refuse a request; draws first where that is needed.

        Raises:
            FareboxError: 409, or 503: the recorder can't be asked.
        """
        decision = self.decide_now(ask, self._clock.now_ms())
        if decision is None:
            try:
                async with asyncio.timeout(DECIDE_SECONDS_MAX):
                    while decision is None:
                        await self._drawn()
                        decision = self.decide_now(ask, self._clock.now_ms())
                        if decision is None:
                            self._check_terms(ask)
                            if self._gate.waits_for is not None or self._is_ahead:
                                await self._pause(WAIT_SECONDS)
            except TimeoutError as error:
                message = "nothing could be drawn in time"
                raise unavailable(message) from error
        self.wake()
        return decision

    @property
    def trusted_ms(self) -> int:
        """For how long this process trusts its memory without another renewal."""
        return max(0, self._gate.trusted_until_ms - self._clock.now_ms())

    def check_trust(self) -> None:
        """Ask before a decision leaves: a process that was stopped since must not tell it.

        Raises:
            FareboxError: 503, what it was decided by may be somebody else's by now.
        """
        if self._clock.now_ms() >= self._gate.trusted_until_ms:
            message = "the lease ran out between a decision and its answer"
            raise unavailable(message)

    def _check_terms(self, ask: Ask) -> None:
        """Don't go on asking by terms that are no more: a moment later the new ones are known.

        Raises:
            FareboxError: 503.
        """
        if self._gate.room.is_outdated(ask):
            message = "a quota's sharing or a key's cap has changed, and is not known here yet"
            raise unavailable(message)

    def admit_anyway(self, ask: Ask, now_ms: int) -> Hold:
        """Admit without taking anything, where a plan only counts."""
        with self._lock:
            return self._gate.admit_anyway(ask, now_ms)

    def limits(self, ask: Ask, now_ms: int) -> tuple[LimitState, ...]:
        """Every limit that a request is under."""
        with self._lock:
            return self._gate.limits(ask, now_ms)

    def held(self, profile_id: int) -> HeldHere:
        """What reservations hold of a workspace's credits, as far as it is known here."""
        with self._lock:
            held_micro = self._gate.held_micro(profile_id)
        return HeldHere(held_micro, 0 if self.node is None else self.node.node_id)

    @property
    def counts(self) -> Counts:
        """What is worth knowing of the gate."""
        return self._gate.counts

    def wake(self) -> None:
        """Draw ahead of need, if the gate asks for it."""
        if self._gate.room.has_demand:
            self._drawing = self._under_way()

    # -- ending ----------------------------------------------------------------------------------

    async def settle(
        self,
        reservation: Reservation,
        row: MeteredRequest,
        captures: Sequence[Capture] = (),
    ) -> Settled:
        """Record the request of a reservation and charge what it cost; returns after the commit.

        Raises:
            FareboxError: 409, it has ended otherwise; 422, the row was refused; or 503.
        """
        now_ms = self._clock.now_ms()
        with self._lock:
            hold = self._gate.ending(reservation.lease_id, reservation.number)
            lease_id = self._gate.lease_id
        is_late = hold is None and reservation.is_expired(now_ms)
        spend = reservation.spend(0 if is_late else row.credits_micro, row.query_log_id)
        with self._in_doubt([hold] if hold else []):
            recorded = await self._link.record([row], captures, lease_id=lease_id, spends=[spend])
        self._end(hold, recorded, row.credits_micro)
        if recorded.conflicts:
            raise FareboxError(RESERVATION_ENDED)
        if recorded.rejected:
            raise FareboxError(ROW_REFUSED)
        return Settled(dict(recorded.balances)[row.profile_id], is_late and not recorded.duplicates)

    async def void(self, reservation: Reservation) -> None:
        """Give back what a reservation holds; returns after the commit.

        Raises:
            FareboxError: 409, it was settled; or 503.
        """
        with self._lock:
            hold = self._gate.ending(reservation.lease_id, reservation.number)
            lease_id = self._gate.lease_id
        is_late = hold is None and reservation.is_expired(self._clock.now_ms())
        spend = reservation.unspent(is_late=is_late)
        with self._in_doubt([hold] if hold else []):
            voided = await self._link.void(
                lease_id, reservation.profile_id, reservation.identity, spend
            )
        if voided.is_returned and reservation.lease_id == self._gate.lease_id:
            # The recorder has begun anew, and gave back itself what would be free here.
            self._abandon()
        if hold is not None:
            with self._lock:
                if voided.is_taken:
                    self._gate.kept(hold, self._clock.now_ms())
                else:
                    self._gate.voided(hold, self._clock.now_ms())
        if voided.was_settled:
            raise FareboxError(RESERVATION_ENDED)

    async def record(
        self, admitted: Sequence[tuple[Hold, MeteredRequest]], captures: Sequence[Capture] = ()
    ) -> Recorded:
        """Record requests that were admitted here; returns after the commit.

        Raises:
            FareboxError: 503; the same again settles what became of them.
        """
        spends = []
        with self._lock:
            lease_id = self._gate.lease_id
            for hold, row in admitted:
                hold.ending += 1
                # What a hold that has expired had of credits is somebody else's by now.
                spent_micro = min(row.credits_micro, hold.ask.hold_micro) if hold.is_open else 0
                spends.append(Reservation.of(hold).spend(spent_micro, row.query_log_id))
        with self._in_doubt([hold for hold, _ in admitted]):
            recorded = await self._link.record(
                [row for _, row in admitted], captures, lease_id=lease_id, spends=spends
            )
        rejected = {index for index, _ in recorded.rejected}
        known = {*recorded.conflicts, *recorded.duplicates}
        now_ms = self._clock.now_ms()
        with self._lock:
            for index, (hold, row) in enumerate(admitted):
                if index in rejected:
                    self._gate.voided(hold, now_ms)
                elif index in recorded.taken:
                    self._gate.kept(hold, now_ms)
                elif index in known:
                    self._gate.taken_elsewhere(hold)
                else:
                    self._gate.settled(hold, row.credits_micro, now_ms)
        return recorded

    def void_now(self, hold: Hold) -> None:
        """Give back what a hold of this process took, whose identity nobody else knows."""
        with self._lock:
            hold.ending += 1
            self._gate.voided(hold, self._clock.now_ms())

    # -- its own life ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to renew."""
        self._renewing = asyncio.create_task(self._renew())

    async def close(self) -> None:
        """Give back all that is free, and stop."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        if self._drawing is not None:
            await asyncio.wait([self._drawing])
        self._abandon()
        await self._partings.close()

    async def renew(self) -> None:
        """Renew once, and tell what has changed of what reservations hold."""
        with self._lock:
            self._gate.look_around(self._clock.now_ms())
        await self._drawn()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self.renew()
            except FareboxError as error:
                log.warning("the lease could not be renewed: %s", error.internal)
            except Exception:
                log.exception("the lease could not be renewed")

    async def _drawn(self) -> None:
        """Wait for a draw; who waits together shares one, and fails together."""
        await asyncio.shield(self._under_way())

    def _under_way(self) -> asyncio.Task[None]:
        """The draw that is under way; a new one where there is none."""
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._draw())
            self._drawing.add_done_callback(_look_at)
        return self._drawing

    async def _draw(self) -> None:
        """Draw; once more where others need what lies idle here."""
        while await self._draw_once():
            pass

    async def _draw_once(self) -> bool:
        """One draw, and whether others wait for what is to go back by the next."""
        began_ms = self._clock.now_ms()
        with self._lock:
            lease_id = self._gate.lease_id
            asked, returns = self._gate.wants(began_ms)
            is_old = self._gate.room.is_used
            holdings = self._gate.take_holdings()
        try:
            drawn = await self._link.draw(
                lease_id,
                began_ms,
                self.hold_ms,
                [one.want for one in asked],
                returns,
                is_old=is_old,
                holdings=holdings,
            )
        except FareboxError:
            if lease_id == self._gate.lease_id:
                self._abandon()
            raise
        self._clock.not_before(drawn.now_ms)
        began_ms -= self._step_back(began_ms - drawn.now_ms)
        self._is_ahead = began_ms > drawn.now_ms
        self.node = drawn.node
        if lease_id != self._gate.lease_id:
            return False  # given up meanwhile, and all that it had with it
        if drawn.is_ended:
            self._abandon()
            return False
        with self._lock:
            self._gate.supplied(asked, drawn, began_ms, self._clock.now_ms())
            return bool(drawn.recalled) and self._gate.room.has_returns

    def _step_back(self, ahead_ms: int) -> int:
        """Take the recorder's time where it didn't follow this process's.

        One of them may have begun after the wall clock had stepped. By how much it was set back.
        """
        with self._lock:
            if ahead_ms <= 0 or not self._gate.step_back(ahead_ms):
                return 0
            self._clock.begin_at(self._clock.now_ms() - ahead_ms)
        return ahead_ms

    def _end(self, hold: Hold | None, recorded: Recorded, charged_micro: int) -> None:
        if hold is None:
            return
        with self._lock:
            if recorded.rejected or recorded.taken:
                self._gate.kept(hold, self._clock.now_ms())
            elif recorded.conflicts or recorded.duplicates:
                self._gate.taken_elsewhere(hold)
            else:
                self._gate.settled(hold, charged_micro, self._clock.now_ms())

    @contextmanager
    def _in_doubt(self, holds: list[Hold]) -> Iterator[None]:
        """Around ends on their way, which may fail: nobody knows then what became of them."""
        try:
            yield
        except BaseException as error:
            now_ms = self._clock.now_ms()
            with self._lock:
                for hold in holds:
                    self._gate.kept(hold, now_ms)
            was_sent = not isinstance(error, FareboxError) or error.kind is not QUEUE_FULL
            if was_sent:
                self._abandon()
            raise

    def _abandon(self) -> None:
        """Begin a new lease; tell the recorder, as far as it listens, what is free of the old."""
        now_ms = self._clock.now_ms()
        self.leases_given_up += 1
        with self._lock:
            old, free = self._gate.abandon(self._new_lease_id(), now_ms)
        self._partings.tell(old, free, now_ms)

    def _new_lease_id(self) -> int:
        return self._entropy.random_below(2**LEASE_ID_BITS) + 1


def _look_at(task: asyncio.Task[None]) -> None:
    """Those who asked for it may all have gone: then nobody else looks at its error."""
    if not task.cancelled():
        task.exception()
