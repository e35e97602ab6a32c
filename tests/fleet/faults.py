"""Faults: what may happen to a fleet while callers call, at moments that a seed chooses.

Some end by themselves, some are undone a moment later; two may overlap where they don't need the
same part. All is whole again when `rage` returns.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tests.fleet.ground import PostgresGround
from tests.fleet.node import Node
from tests.fleet.world import World
from tests.support.processes import is_alive
from tests.support.proxy import Loss
from tests.support.recorders import until

# Longer than any trust, and than the silence that ends a lease.
PAUSE_SECONDS = (0.5, 3.4)
SILENT_SECONDS = (0.3, 2.6)
DOWN_SECONDS = (0.0, 1.2)
STRIKE_SECONDS = (0.05, 0.8)
PENDING_MAX = 2
LOSS_SECONDS_MAX = 2.0

Undo = Callable[[], None]


class Pending(NamedTuple):
    """What is broken, and when it is to be whole again."""

    due: float
    undo: Undo
    parts: frozenset[str]


class Faults:
    """A hand that breaks parts of a world. `look` is called all the while."""

    def __init__(self, world: World, seed: int, look: Callable[[], None] = lambda: None) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.look = look
        self.done: Counter[str] = Counter()
        self._pending: list[Pending] = []
        self._deck: list[str] = []

    def rage(self, seconds: float) -> None:
        """Break and mend, for so long."""
        pause = threading.Event()
        end = time.monotonic() + seconds
        strike_at = time.monotonic() + self.random.uniform(0.2, 0.6)
        try:
            while time.monotonic() < end or self._pending:
                self._mend()
                if strike_at < time.monotonic() < end and len(self._pending) < PENDING_MAX:
                    self._strike()
                    strike_at = time.monotonic() + self.random.uniform(*STRIKE_SECONDS)
                self.look()
                pause.wait(0.02)
        finally:
            self._mend(all_of_it=True)

    def _mend(self, *, all_of_it: bool = False) -> None:
        for pending in list(self._pending):
            if all_of_it or pending.due < time.monotonic():
                self._pending.remove(pending)
                pending.undo()

    def _strike(self) -> None:
        """The next fault of the deck; none where what it needs is broken already."""
        if not self._deck:
            names = POSTGRES if isinstance(self.world.ground, PostgresGround) else SQLITE
            self._deck = self.random.sample(names, len(names))
        name = self._deck.pop()
        number = self.random.randrange(len(self.world.nodes))
        parts = {"database"} if name in NEEDS_DATABASE else set()
        if name not in {"restart", "crash", "kill recorder"}:
            parts.add(f"node {number}")
        if any(parts & pending.parts for pending in self._pending):
            return
        self.done[name] += 1
        span, undo = self._act(name, self.world.nodes[number])
        if undo is not None:
            due = time.monotonic() + self.random.uniform(*span)
            self._pending.append(Pending(due, undo, frozenset(parts)))

    def _act(self, name: str, node: Node) -> tuple[tuple[float, float], Undo | None]:
        """Do it; how long it lasts and how it is undone."""
        if name == "kill":
            node.kill()
            return DOWN_SECONDS, node.start
        if name == "kill recorder":
            kill_recorder(self.world.nodes)
            return DOWN_SECONDS, None
        if name == "pause":
            node.pause()
            return PAUSE_SECONDS, node.resume
        if name in {"restart", "crash"}:
            return self._stop_database(name)
        return self._break_network(name, node)

    def _stop_database(self, name: str) -> tuple[tuple[float, float], Undo | None]:
        ground = self.world.ground
        assert isinstance(ground, PostgresGround)
        if name == "crash" and self.random.random() < 0.5:
            ground.primary.kill()
        else:
            ground.primary.stop(immediate=name == "crash")
        return DOWN_SECONDS, ground.primary.start

    def _break_network(self, name: str, node: Node) -> tuple[tuple[float, float], Undo | None]:
        proxy = node.proxy
        if name == "cut":
            proxy.cut()
        elif name == "silence":
            proxy.half_open()
        elif name == "slow":
            proxy.delay_ms = self.random.choice((20, 150, 400))
        elif name == "reset":
            proxy.reset()
        elif name in LOSSES:
            proxy.reset_at_commit(LOSSES[name])
        return SILENT_SECONDS, proxy.heal


def kill_recorder(nodes: list[Node]) -> None:
    """Kill the one recorder that nodes on a file share."""
    pid = nodes[0].shared_recorder_pid()
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid))


LOSSES: dict[str, Loss] = {
    "lost commit": "commit",
    "lost reply": "reply",
    "unknown commit": "unknown",
}
SQLITE = ("kill", "kill", "kill recorder", "pause", "pause")
POSTGRES = ("kill", "pause", "restart", "crash", "cut", "silence", "slow", "reset", *LOSSES)
# A node that starts needs it.
NEEDS_DATABASE = {"kill", "restart", "crash", "kill recorder"}
