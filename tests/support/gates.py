"""The gate in one process: the real gatekeeper and the real recorder, with the clock by hand.

What is sent to the recorder may be lost before it arrives, or its reply after it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from farebox.core.instant import MS_PER_SECOND
from farebox.core.request import MeteredRequest
from farebox.engine.clock import Clock
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Hold
from farebox.engine.link import Link, failure, unavailable
from farebox.engine.messages import Answered, Drawn, Failed, Message, Recorded, Voided
from farebox.engine.reservation import Reservation
from farebox.engine.spawn import RecorderProcess
from farebox.service.admit import Admitter, Attempt, Refused
from farebox.service.metrics import Metrics
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Outcome, Settler
from tests.support.harness import Harness

HOLD_MS = 60_000
SENT, DONE = "sent", "done"
# Told of each message twice: before it is done, and after. True loses it, or its reply.
Loses = Callable[[str, Message], bool]


class HandLink(Link):
    """A link that calls the recorder at once, and loses what the test wants to be lost."""

    def __init__(self, harness: Harness) -> None:
        super().__init__(harness.path, RecorderProcess(["false"]))
        self._harness = harness
        self.loses: Loses = lambda _moment, _message: False

    async def connect(self) -> None:
        """Nothing is to be reached."""

    async def close(self) -> None:
        """Nothing is to be hung up."""

    async def _ask(self, message: Message) -> Recorded | Answered | Drawn | Voided:
        if self.loses(SENT, message):
            raise unavailable("lost")  # noqa: EM101 - not a message to format
        (reply,) = self._harness.recorder.handle([message])
        if self.loses(DONE, message):
            raise unavailable("lost")  # noqa: EM101 - not a message to format
        if isinstance(reply, Failed):
            raise failure(reply)
        return reply


class Spent(NamedTuple):
    """What the database says of a limit."""

    used: int
    drawn: int


class GateWorld:
    """A process with a gate, over a harness. `restart` is what a killed process leaves behind."""

    def __init__(
        self,
        harness: Harness,
        *,
        hold_ms: int = HOLD_MS,
        real: tuple[Link, Clock] | None = None,
    ) -> None:
        """With a `real` link and clock the harness's recorder has no part in it."""
        self.harness = harness
        self.hold_ms = hold_ms
        self.link = HandLink(harness)
        self._link, self._clock = real or (self.link, harness.clock)
        self.restart()

    def restart(self) -> None:
        """Begin anew, with nothing in memory."""
        harness = self.harness
        self.gatekeeper = Gatekeeper(
            self._link,
            self._clock,
            harness.entropy,
            hold_ms=self.hold_ms,
            pause=self._pause,
            part_times_max=1,
        )
        refusals = RefusalLog(self._link, Metrics(), harness.entropy)
        self.admitter = Admitter(harness.directory, self.gatekeeper, refusals, harness.entropy)
        self.settler = Settler(harness.directory, harness.entropy)

    async def _pause(self, seconds: float) -> None:
        """Let time pass: at once where it is by hand."""
        if self._clock is self.harness.clock:
            self.harness.clock.advance(round(seconds * MS_PER_SECOND))
            seconds = 0
        await asyncio.sleep(seconds)

    async def admit(
        self, key_id: str, slug: str | None = None, *, request_id: str | None = None
    ) -> Hold | Refused:
        """The decision over a call with a key."""
        attempt = Attempt(
            self.harness.directory.keys[key_id],
            slug,
            None,
            None,
            request_id=request_id,
            expires_after_ms=self.hold_ms,
        )
        return await self.admitter.decide(attempt, self._clock.now_ms())

    async def admitted(
        self, key_id: str, slug: str | None = None, *, request_id: str | None = None
    ) -> Hold:
        """The hold of a call that must be let through."""
        decision = await self.admit(key_id, slug, request_id=request_id)
        assert isinstance(decision, Hold), decision
        return decision

    def row(self, hold: Hold, outcome: Outcome | None = None) -> MeteredRequest:
        """The request of a hold, as the middlewares make it."""
        return self.settler.request_of_hold(hold, outcome or Outcome(status_code=200))

    async def settle(self, hold: Hold, outcome: Outcome | None = None) -> int:
        """Settle a hold; the balance after it.

        Raises:
            FareboxError: what became of it is told by its kind.
        """
        settled = await self.gatekeeper.settle(Reservation.of(hold), self.row(hold, outcome))
        return settled.balance_micro

    async def void(self, hold: Hold) -> None:
        """Void a hold."""
        await self.gatekeeper.void(Reservation.of(hold))

    def drawn_micro(self, profile_id: int) -> int:
        """Credits that are drawn, as the ledger says; the draws must say the same."""
        ((ledger,),) = self.harness.select(
            "select coalesce(sum(credits_micro - debits_micro), 0) from accounts"
            " where profile_id = ? and account like 'drawn:%'",
            profile_id,
        )
        ((drawn,),) = self.harness.select(
            "select coalesce(sum(units), 0) from draws where profile_id = ? and name = 'credits'",
            profile_id,
        )
        assert ledger == drawn
        micro: int = drawn
        return micro

    def spent(self, profile_id: int, name: str) -> Spent:
        """What was recorded of a workspace, and what is drawn of one limit in all windows."""
        ((used,),) = self.harness.select(
            "select coalesce(sum(requests), 0) from quarters where profile_id = ?", profile_id
        )
        ((drawn,),) = self.harness.select(
            "select coalesce(sum(units), 0) from draws where profile_id = ? and name = ?",
            profile_id,
            name,
        )
        return Spent(used, drawn)
