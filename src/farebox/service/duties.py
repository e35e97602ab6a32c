"""Duties: what one process does for all that share a database, on however many machines.

A duty is somebody's until an instant, by a row that is written in a command. Whoever has it may
have it longer; nobody else gets it before. So of many processes one audits in each period, and one
watches the alerts, and when that one dies another goes on when its time is over. A process that was
stopped in the midst may still believe that a duty is its own: what is done twice must be harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from farebox.core.errors import FareboxError
from farebox.core.instant import MS_PER_SECOND
from farebox.engine.clock import Clock
from farebox.engine.entropy import Entropy, new_uuid
from farebox.engine.link import Link
from farebox.engine.transaction import Command, Transaction
from farebox.store.contract import Reader

# Another goes on so long after the last word of one who has died.
TERM_MS = 10 * MS_PER_SECOND
LAY_DOWN_SECONDS_MAX = 1.0
ACTOR = "duties"


class DutyClaim(msgspec.Struct, frozen=True):
    """Have a duty for a while; for 0 ms to lay it down."""

    name: str
    holder: str
    for_ms: int


class DutyClaimed(msgspec.Struct, frozen=True):
    """Whose it is until then: the caller's, or not."""

    is_held: bool
    until_ms: int


class _Duty(NamedTuple):
    holder: str
    until_ms: int


class _Seen(NamedTuple):
    """Whether there is anything to do, and whose it is."""

    is_wanted: bool
    duty: _Duty | None


Read = Callable[[Callable[[Reader], _Seen]], Awaitable[_Seen]]


class Duty:
    """One duty as one process sees it.

    `read` computes something on a reader's thread; `is_wanted` says whether there is anything to do
    for whoever has it.
    """

    def __init__(
        self,
        name: str,
        link: Link,
        read: Read,
        clock: Clock,
        entropy: Entropy,
        *,
        is_wanted: Callable[[Reader], bool] = lambda _: True,
    ) -> None:
        self._name = name
        self._link = link
        self._read = read
        self._clock = clock
        self._is_wanted = is_wanted
        self._holder = new_uuid(entropy)
        self._until_ms = 0

    async def is_ours(self) -> bool:
        """Whether it is this process's turn to do what goes on and on; asked often.

        Raises:
            FareboxError: 503, the recorder can't be asked.
            StoreFaultError: the store failed.
        """
        now_ms = self._clock.now_ms()
        if self._until_ms - now_ms > TERM_MS // 2:
            return True
        is_wanted, duty = await self._read(self._look)
        if is_wanted and not _is_anothers(duty, self._holder, now_ms):
            return (await self.claim(TERM_MS)).is_held
        self._until_ms = 0
        return False

    async def claim(self, for_ms: int) -> DutyClaimed:
        """Have it for a while, unless it is somebody else's.

        Raises:
            FareboxError: 503, the recorder can't be asked.
        """
        claimed = await self._link.call(
            "duties.claim", DutyClaim(self._name, self._holder, for_ms), DutyClaimed, actor=ACTOR
        )
        self._until_ms = claimed.until_ms if claimed.is_held else 0
        return claimed

    async def lay_down(self) -> None:
        """Let another have it at once, if that can be told at once."""
        if self._until_ms > self._clock.now_ms():
            with suppress(FareboxError, TimeoutError):
                async with asyncio.timeout(LAY_DOWN_SECONDS_MAX):
                    await self.claim(0)

    def _look(self, reader: Reader) -> _Seen:
        duty = reader.one("duty_get", _Duty, name=self._name)
        return _Seen(self._is_wanted(reader), duty)


def claim(tx: Transaction, wanted: DutyClaim) -> DutyClaimed:
    """Give a duty to who asks, unless it is somebody else's."""
    duty = tx.db.one("duty_get", _Duty, name=wanted.name)
    if duty is not None and _is_anothers(duty, wanted.holder, tx.now_ms):
        return DutyClaimed(is_held=False, until_ms=duty.until_ms)
    until_ms = tx.now_ms + wanted.for_ms
    tx.db.execute("duty_put", name=wanted.name, holder=wanted.holder, until_ms=until_ms)
    return DutyClaimed(is_held=True, until_ms=until_ms)


def _is_anothers(duty: _Duty | None, holder: str, now_ms: int) -> bool:
    return duty is not None and duty.until_ms > now_ms and duty.holder != holder


COMMANDS = (Command("duties.claim", DutyClaim, claim),)
