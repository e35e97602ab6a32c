"""The callers of a fleet: one process that calls its nodes at random, and writes the history.

Each call has an id of its own and is repeated with it, at any node, until its outcome is known. The
callers go on until the limit is found used up on every node: each has refused it once more, later
than the bound on early refusals after the last unit became free or was taken.

    python -m tests.fleet.callers <plan as JSON>

A line on standard input tells that no more faults will come: only then may they end.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tests.fleet.history import Line, Op, Outcome
from tests.support.faces import SLUG
from tests.support.wire import Heard, Wire

OK, CONFLICT, UNAVAILABLE = 200, 409, 503
PAUSE_SECONDS = 0.02
ANSWER_SECONDS_MAX = 20.0
RECORD_ROWS = 5


class Seat(msgspec.Struct, frozen=True):
    """A key, and what the limit counts together with it."""

    key: str
    scope: int


class Mix(msgspec.Struct, frozen=True):
    """What becomes of what was admitted, in shares; the rest is forgotten. `think` is its work.

    It ends at any node if it roams, else at the one that admitted it, as long as that one answers.
    """

    settle: float = 1.0
    void: float = 0.0
    record: float = 0.0
    think_seconds: float = 0.0
    is_roaming: bool = True


class CallerPlan(msgspec.Struct, frozen=True):
    """What the callers are told.

    A node is several processes behind one port where it must refuse more than once.
    `run_seconds` is how long they call at least; with `is_endless` they then end, for what is
    limited begins anew all the time.
    """

    urls: list[str]
    token: str
    seats: list[Seat]
    free_key: str
    denied_by: str
    name: str
    journal: str
    seed: int
    mix: Mix
    callers: int
    bound_seconds: float
    run_seconds: float
    deadline_seconds: float
    is_endless: bool = False
    refusals_min: int = 1


class Callers:
    """All callers of the process, which are tasks."""

    def __init__(self, plan: CallerPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._names = (f"{plan.name}-{n}" for n in itertools.count())
        self._headers = {"Authorization": f"Bearer {plan.token}"}
        self._journal = Path(plan.journal).open("ab")  # noqa: SIM115 - closed by `run`
        self._encode = msgspec.json.Encoder().encode
        self._begun = time.monotonic()
        self._is_calm = False
        # When a unit was last taken or given back, and how often each node has refused since the
        # bound after it, by scope.
        self._moved: dict[int, float] = {}
        self._refused: Counter[tuple[int, int]] = Counter()

    async def run(self) -> None:
        """Call until the end."""
        listening = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        listening.add_done_callback(lambda _: self._be_calm())
        with self._journal:
            while not self._is_over():
                await asyncio.gather(*(self._caller() for _ in range(self._plan.callers)))
            await listening

    def _be_calm(self) -> None:
        self._is_calm = True

    def _is_over(self) -> bool:
        spent = time.monotonic() - self._begun
        assert spent < self._plan.deadline_seconds, f"no end: {self._moved} {self._refused}"
        if not self._is_calm or spent < self._plan.run_seconds:
            return False
        return self._plan.is_endless or all(
            self._refused[scope, node] >= self._plan.refusals_min
            for scope in {seat.scope for seat in self._plan.seats}
            for node in range(len(self._plan.urls))
        )

    async def _caller(self) -> None:
        wires = [Wire(url, answer_seconds_max=ANSWER_SECONDS_MAX) for url in self._plan.urls]
        try:
            while not self._is_over():
                if self._random.random() < self._plan.mix.record:
                    await self._record(wires)
                else:
                    await self._call(wires)
        finally:
            for wire in wires:
                wire.hang_up()

    async def _call(self, wires: list[Wire]) -> None:
        name, chance, mix = next(self._names), self._random, self._plan.mix
        seat = chance.choice(self._plan.seats)
        admitted = await self._admitted(wires, name, seat)
        if admitted is None:
            await asyncio.sleep(PAUSE_SECONDS)
            return
        reservation_id, home = admitted
        if mix.think_seconds:
            await asyncio.sleep(chance.uniform(0, 2 * mix.think_seconds))
        end = chance.random()
        body: dict[str, object] = {"reservation_id": reservation_id}
        if end < mix.settle:
            body |= {"status_code": 200, "path": f"/{name}"}
            await self._until_known(wires, home, "settle", name, body, seat.scope)
        elif end < mix.settle + mix.void:
            await self._until_known(wires, home, "void", name, body, seat.scope)

    async def _admitted(self, wires: list[Wire], name: str, seat: Seat) -> tuple[str, int] | None:
        """A call's reservation, and its node; asked for until it is known whether there is one."""
        body = {"key": seat.key, "log_type": SLUG, "id": name}
        while True:
            node = self._random.randrange(len(wires))
            sent = time.monotonic()
            heard = await self._ask(wires[node], "/v1/authorize", body)
            told: dict[str, Any] = heard.json() if heard and heard.status == OK else {}
            outcome: Outcome = "unknown"
            if told:
                is_right = told["allowed"] or told["denied_by"] == self._plan.denied_by
                outcome = "refused" if is_right else "wrong"
                outcome = "admitted" if told["allowed"] else outcome
            elif heard and heard.status != UNAVAILABLE:
                outcome = "wrong"
            by = told.get("denied_by", "") if heard is None or outcome != "wrong" else str(heard)
            self._note("authorize", name, node, sent, outcome, heard, seat.scope, by or "")
            if outcome == "admitted":
                self._move(seat.scope)
                return told["reservation_id"], node
            bound = self._plan.bound_seconds
            if outcome == "refused" and sent > self._moved.get(seat.scope, self._begun) + bound:
                self._refused[seat.scope, node] += 1
            if outcome != "unknown":
                return None
            await self._breathe()

    async def _until_known(
        self, wires: list[Wire], home: int, op: Op, name: str, body: dict[str, object], scope: int
    ) -> None:
        """Send an end, and again, until it is known."""
        outcome: Outcome = "unknown"
        is_first = True
        while outcome == "unknown":
            is_home = is_first and not self._plan.mix.is_roaming
            node = home if is_home else self._random.randrange(len(wires))
            is_first = False
            sent = time.monotonic()
            heard = await self._ask(wires[node], f"/v1/{op}", body)
            if heard and heard.status == OK:
                outcome = "done"
            elif heard and heard.status == CONFLICT:
                outcome = "other"
            elif heard and heard.status != UNAVAILABLE:
                outcome = "wrong"
            by = str(heard) if outcome == "wrong" else ""
            self._note(op, name, node, sent, outcome, heard, scope, by)
            if outcome == "unknown":
                await self._breathe()
        if op == "void":
            self._move(scope)

    async def _record(self, wires: list[Wire]) -> None:
        """Report some requests of a workspace without limits, until they are recorded."""
        name = next(self._names)
        rows = [
            {
                "id": f"{name}.{n}",
                "key": self._plan.free_key,
                "log_type": SLUG,
                "path": f"/{name}.{n}",
            }
            for n in range(RECORD_ROWS)
        ]
        outcome: Outcome = "unknown"
        while outcome == "unknown":
            node = self._random.randrange(len(wires))
            sent = time.monotonic()
            heard = await self._ask(wires[node], "/v1/requests", {"requests": rows})
            if heard and heard.status == OK:
                told = heard.json()
                is_right = told["accepted"] + told["duplicates"] == len(rows)
                outcome = "done" if is_right else "wrong"
            elif heard and heard.status != UNAVAILABLE:
                outcome = "wrong"
            by = str(heard) if outcome == "wrong" else ""
            for row in rows:
                self._note("record", row["id"], node, sent, outcome, heard, -1, by)
            if outcome == "unknown":
                await self._breathe()

    def _move(self, scope: int) -> None:
        """A unit was taken or given back: nobody has refused since."""
        self._moved[scope] = time.monotonic()
        for place in [place for place in self._refused if place[0] == scope]:
            del self._refused[place]

    async def _ask(self, wire: Wire, path: str, body: object) -> Heard | None:
        """The answer, or None where there was none."""
        try:
            return await wire.ask("POST", path, self._headers, body)
        except OSError:
            return None

    async def _breathe(self) -> None:
        spent = time.monotonic() - self._begun
        assert spent < self._plan.deadline_seconds, "an outcome stays unknown"
        await asyncio.sleep(self._random.uniform(0.5, 2) * PAUSE_SECONDS)

    def _note(
        self,
        op: Op,
        name: str,
        node: int,
        sent: float,
        outcome: Outcome,
        heard: Heard | None,
        scope: int,
        by: str,
    ) -> None:
        status = heard.status if heard else 0
        line = Line(op, name, node, sent, time.monotonic(), outcome, status, scope, by)
        self._journal.write(self._encode(line) + b"\n")


if __name__ == "__main__":
    uvloop.run(Callers(msgspec.json.decode(sys.argv[1], type=CallerPlan)).run())
