"""A link without a socket: it hands messages to the recorder itself, or loses them on the way.

What a process is told is what a real link would tell it: an answer, why it was refused, or 503
when nobody knows what became of its message. The one that sent it is named by `about`, so that the
reference can be told what the recorder did even where the process never hears of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from farebox.engine.link import Link, failure, unavailable
from farebox.engine.messages import Answered, Draw, Drawn, Failed, Message, Recorded, Reply, Voided
from farebox.engine.spawn import RecorderProcess
from tests.gate.broken_store import BrokenStore
from tests.gate.claim import Claim

Answer = Recorded | Answered | Drawn | Voided
Deliver = Callable[[Message, Sequence[Claim]], Reply]


class Fate(Enum):
    """What becomes of a message."""

    LOSE_REQUEST = auto()
    LOSE_REPLY = auto()
    HOLD_REQUEST = auto()
    HOLD_REPLY = auto()
    SLOW_REQUEST = auto()
    SLOW_REPLY = auto()
    BREAK_BEFORE = auto()
    BREAK_AFTER = auto()


LOST = "it was lost on its way"
_BREAKS = {Fate.BREAK_BEFORE: "before", Fate.BREAK_AFTER: "after"}


class Held(NamedTuple):
    """A message that is on its way there, or whose reply is on its way back."""

    message: Message
    about: Sequence[Claim]
    reply: Reply | None
    future: asyncio.Future[Reply]


class Wire(Link):
    """One process's. `fate` is that of the next draw, `end_fate` that of the next other message."""

    def __init__(
        self, deliver: Deliver, wait: Callable[[int], None], gone: Callable[[int], None]
    ) -> None:
        super().__init__(Path("nowhere"), RecorderProcess([]))
        self._deliver = deliver
        self._wait = wait
        self._gone = gone
        self._lease_id = 0
        self.fate: Fate | None = None
        self.end_fate: Fate | None = None
        self.slow_ms = 0
        self.about: Sequence[Claim] = ()
        self.is_cut = False
        self.draws = 0
        self.held: list[Held] = []

    def hand_over(self, held: Held) -> None:
        """Let a held message, or its reply, come through."""
        reply = self._deliver(held.message, held.about) if held.reply is None else held.reply
        if not held.future.done():
            held.future.set_result(reply)

    def hang_up(self) -> None:
        """Break the connection: to the recorder that is the end of the lease."""
        if self._lease_id:
            self._gone(self._lease_id)

    async def _ask(self, message: Message) -> Answer:
        about, self.about = self.about, ()
        fate = self._take_fate(message)
        # What is sent in one turn of the loop leaves together.
        await asyncio.sleep(0)
        # What was sent before comes first, there and back.
        while self.held:
            self.hand_over(self.held.pop(0))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if self.is_cut or fate is Fate.LOSE_REQUEST:
            raise unavailable(LOST)
        if fate is Fate.SLOW_REQUEST:
            self._wait(self.slow_ms)
        if fate is Fate.HOLD_REQUEST:
            return _told(await self._hold(message, about, None))
        if fate in _BREAKS:
            BrokenStore.fails = _BREAKS[fate]
        reply = self._deliver(message, about)
        if isinstance(message, Draw) and not message.is_last:
            self.draws += 1
            self._lease_id = message.lease_id
        if fate is Fate.SLOW_REPLY:
            self._wait(self.slow_ms)
        if fate is Fate.LOSE_REPLY:
            self.hang_up()
            raise unavailable(LOST)
        if fate is Fate.HOLD_REPLY:
            return _told(await self._hold(message, about, reply))
        return _told(reply)

    async def _hold(self, message: Message, about: Sequence[Claim], reply: Reply | None) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.held.append(Held(message, about, reply, future))
        return await future

    def _take_fate(self, message: Message) -> Fate | None:
        if isinstance(message, Draw):
            fate, self.fate = self.fate, None
        else:
            fate, self.end_fate = self.end_fate, None
        return fate


def _told(reply: Reply) -> Answer:
    if isinstance(reply, Failed):
        raise failure(reply)
    return reply
