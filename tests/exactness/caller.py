"""A caller: a process that calls the gate without end, and may be killed at any moment.

It authorizes, and lets what was admitted end as chance has it: settled, failed, voided, both at
once, forgotten, settled too late, or with a connection that is closed before the answer. What it is
about to do and what it was told stands in its journal, line by line, before it goes on.

    python -m tests.exactness.caller <plan as JSON>
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from tests.support.wire import Heard, Wire

Event = Literal["admitted", "refused", "settling", "settled", "voiding", "voided", "ended", "lost"]
PAUSE_SECONDS = 0.02
OK, CONFLICT, UNAVAILABLE = 200, 409, 503
SETTLE, VOID = "/v1/settle", "/v1/void"
# How an end is noted before it is sent, and when it was done.
ENDS: dict[str, tuple[Event, Event]] = {
    SETTLE: ("settling", "settled"),
    VOID: ("voiding", "voided"),
}


class CallerPlan(msgspec.Struct, frozen=True):
    """What a caller is told: where the server's URL stands, whose keys it has, what chance is.

    Nobody settles too late on purpose with `punctual` keys.
    """

    url_file: str
    journal: str
    token: str
    keys: list[str]
    punctual: list[str]
    name: str
    seed: int
    tasks: int
    hold_seconds: float


class Line(msgspec.Struct, omit_defaults=True):
    """A line of a journal. `name` is the call's; `body` is what an end was sent with."""

    event: Event
    name: str
    key: str = ""
    by: str = ""
    body: dict[str, object] = {}


class Caller:
    """One process's callers, which are its tasks."""

    def __init__(self, plan: CallerPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._names = (f"{plan.name}-{n}" for n in itertools.count())
        self._journal = os.open(plan.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._headers = {"Authorization": f"Bearer {plan.token}"}
        # Ends that are to be sent, when their time has come: too late, or again.
        self._later: deque[tuple[float, str, str, dict[str, object]]] = deque()

    async def run(self) -> None:
        """Call until the end comes from outside."""
        await asyncio.gather(*(self._task() for _ in range(self._plan.tasks)))

    async def _task(self) -> None:
        while True:
            async with Wire(self._url()) as wire:
                with suppress(OSError):
                    while True:
                        await self._call(wire)
            await asyncio.sleep(PAUSE_SECONDS)

    def _url(self) -> str:
        """Where the server is now: each that is started has another port."""
        return Path(self._plan.url_file).read_text()

    async def _call(self, wire: Wire) -> None:
        if self._later and self._later[0][0] < time.monotonic():
            _, name, path, body = self._later.popleft()
            await self._send(wire, name, path, body)
            return
        name, chance = next(self._names), self._random
        asked: dict[str, object] = {
            "key": chance.choice(self._plan.keys),
            "log_type": "storm_call",
        }
        if chance.random() < 0.5:
            asked["id"] = name
        if chance.random() < 0.04:
            await wire.send_and_hang_up("POST", "/v1/authorize", self._headers, asked)
            return
        told = await self._ask(wire, "/v1/authorize", asked)
        if told.status != OK:
            return
        said = told.json()
        if not said["allowed"]:
            self._note("refused", name, by=said["denied_by"])
            await asyncio.sleep(PAUSE_SECONDS)
            return
        self._note("admitted", name, key=str(asked["key"]))
        is_punctual = asked["key"] in self._plan.punctual
        await self._end(wire, name, said["reservation_id"], is_punctual=is_punctual)

    async def _end(self, wire: Wire, name: str, reservation_id: str, *, is_punctual: bool) -> None:
        body: dict[str, object] = {"reservation_id": reservation_id, "path": f"/{name}"}
        chance = self._random
        body["status_code"] = 500 if chance.random() < 0.1 else 200
        if chance.random() < 0.3:
            body["credits"] = chance.choice((0, 0.5, 1))
        voiding: dict[str, object] = {"reservation_id": reservation_id}
        end = chance.random()
        if end < 0.55:
            await self._send(wire, name, SETTLE, body)
        elif end < 0.70:
            await self._send(wire, name, VOID, voiding)
        elif end < 0.75:
            async with Wire(self._url()) as other:
                await asyncio.gather(
                    self._send(wire, name, SETTLE, body), self._send(other, name, VOID, voiding)
                )
        elif end < 0.85 and not is_punctual:
            due = time.monotonic() + self._plan.hold_seconds * chance.uniform(1.0, 1.5)
            self._later.append((due, name, SETTLE, body))
        elif 0.85 <= end < 0.90:
            self._note("settling", name, body=body)
            await wire.send_and_hang_up("POST", SETTLE, self._headers, body)

    async def _send(self, wire: Wire, name: str, path: str, body: dict[str, object]) -> None:
        """Send an end; where nobody knows what became of it, mostly send it again later."""
        begun, done = ENDS[path]
        self._note(begun, name, body=body)
        try:
            told = await self._ask(wire, path, body)
        except OSError:
            self._doubt(name, path, body)
            raise
        if told.status == OK:
            self._note(done, name)
        elif told.status == CONFLICT:
            self._note("ended", name, by=path)
        else:
            self._doubt(name, path, body)

    def _doubt(self, name: str, path: str, body: dict[str, object]) -> None:
        if self._random.random() < 0.7:
            self._later.append((time.monotonic(), name, path, body))

    async def _ask(self, wire: Wire, path: str, body: dict[str, object]) -> Heard:
        told = await wire.ask("POST", path, self._headers, body)
        if told.status == UNAVAILABLE:
            await asyncio.sleep(PAUSE_SECONDS)
        elif told.status not in {OK, CONFLICT}:
            self._note("lost", path, by=f"{told.status} {told.body!r}")
        return told

    def _note(self, event: Event, name: str, **more: object) -> None:
        line = msgspec.convert({"event": event, "name": name, **more}, Line)
        os.write(self._journal, msgspec.json.encode(line) + b"\n")


if __name__ == "__main__":
    asyncio.run(Caller(msgspec.json.decode(sys.argv[1], type=CallerPlan)).run())
