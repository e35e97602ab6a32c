"""Posters: one process that reports batches of requests to all nodes of a fleet, without end.

All rows are of a few keys, log types and quarter hours, so that every batch adds to the same sums.
Some batches are sent to two nodes at once.

    python -m tests.fleet.posters <plan as JSON>

It says what became of it as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time

import msgspec
import uvloop

from tests.support.wire import Wire

OK = 200


class PosterPlan(msgspec.Struct, frozen=True):
    """Where to, whose, and how long."""

    urls: list[str]
    token: str
    keys: list[str]
    log_types: list[str]
    seed: int
    rows: int
    seconds: float
    posters_per_node: int = 2
    twice: float = 0.1


class Posted(msgspec.Struct, frozen=True):
    """Rows that were answered for, and in how long."""

    accepted: int
    duplicates: int
    seconds: float

    @property
    def per_second(self) -> int:
        """How many rows were accepted in a second."""
        return round(self.accepted / self.seconds)


class Posters:
    """All posters of the process, which are tasks."""

    def __init__(self, plan: PosterPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._numbers = itertools.count()
        self._headers = {"Authorization": f"Bearer {plan.token}"}
        self._accepted = 0
        self._duplicates = 0

    async def run(self) -> Posted:
        """Post until the time is over."""
        begun = time.monotonic()
        end = begun + self._plan.seconds
        urls = self._plan.urls * self._plan.posters_per_node
        await asyncio.gather(*(self._poster(url, end) for url in urls))
        return Posted(self._accepted, self._duplicates, time.monotonic() - begun)

    async def _poster(self, url: str, end: float) -> None:
        other = self._random.choice(self._plan.urls)
        async with Wire(url) as wire:
            while time.monotonic() < end:
                batch = self._batch()
                if self._random.random() < self._plan.twice:
                    # Not in the same order, either.
                    turned = {"requests": batch["requests"][::-1]}
                    # A connection of its own: one that waited for long would have been closed.
                    async with Wire(other) as another:
                        await asyncio.gather(self._post(wire, batch), self._post(another, turned))
                else:
                    await self._post(wire, batch)

    async def _post(self, wire: Wire, batch: dict[str, list[dict[str, object]]]) -> None:
        heard = await wire.ask("POST", "/v1/requests", self._headers, batch)
        assert heard.status == OK, heard
        told = heard.json()
        assert not told["rejected"], told["rejected"][0]
        assert not told["conflicts"], told["conflicts"][0]
        self._accepted += told["accepted"]
        self._duplicates += told["duplicates"]

    def _batch(self) -> dict[str, list[dict[str, object]]]:
        chance = self._random
        return {
            "requests": [
                {
                    "id": f"p{self._plan.seed}-{next(self._numbers)}",
                    "key": chance.choice(self._plan.keys),
                    "log_type": chance.choice(self._plan.log_types),
                    "path": "/posted",
                    "method": "GET",
                    "status_code": 200,
                    "duration_ms": chance.randrange(500),
                }
                for _ in range(self._plan.rows)
            ]
        }


if __name__ == "__main__":
    posted = uvloop.run(Posters(msgspec.json.decode(sys.argv[1], type=PosterPlan)).run())
    sys.stdout.write(msgspec.json.encode(posted).decode())
