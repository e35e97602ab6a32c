"""A node that is measured: a gate that admits as fast as it goes, and its recorder's process.

The gate is used as the middlewares use it: the follower's freshness, the room of the record queue,
the decision, and the request that is put into the queue. It counts how often its connections to
the database wait for an answer; the recorder's process is asked for its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from contextlib import suppress
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import uvloop

from farebox.core.database_url import read_database_url
from farebox.core.errors import QUEUE_FULL, FareboxError
from farebox.core.workspace import ApiKey
from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.follower import Follower
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Hold
from farebox.engine.link import Link
from farebox.engine.paths import place_of, socket_path
from farebox.engine.recorder import Recorder
from farebox.engine.recorder_loop import serve_recorder
from farebox.engine.spawn import RecorderProcess
from farebox.service.admit import Admitter, Attempt
from farebox.service.commands import COMMANDS
from farebox.service.metrics import Metrics
from farebox.service.record_queue import RecordQueue
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Outcome, Settler
from farebox.store.database import Database
from farebox.store.postgres.connection import open_reader, open_writer
from farebox.store.postgres.database import PostgresDatabase

CALLERS = 64
# So many calls of one caller before another one has its turn.
AT_ONCE = 16
HOLD_MS = 60_000
START_SECONDS_MAX = 20.0
OUTCOME = Outcome(200, None, "POST", "/search", 12, 3_456, "192.0.2.1", "x-api-key")


class Order(NamedTuple):
    """What a node is to do for some seconds: with one key, or in turn with those of all.

    Without `is_recorded` it only decides: nothing is settled, each hold ends after a second.
    `waiting_max` bounds the record queue.
    """

    seconds: float
    keys: int = 1
    is_recorded: bool = True
    waiting_max: int = 5_000


class Found(NamedTuple):
    """What came of it. The seconds end when all is recorded; `failed` were answered 503."""

    admitted: int
    seconds: float
    writer_trips: int
    reader_trips: int
    failed: int


class Counted:
    """Connections that were opened, and their round trips."""

    def __init__(self) -> None:
        self._opened: list[PostgresDatabase] = []

    def keep(self, database: PostgresDatabase) -> PostgresDatabase:
        """Count what it does."""
        self._opened.append(database)
        return database

    @property
    def trips(self) -> int:
        """Of all."""
        return sum(database.round_trips for database in self._opened)


def run_recorder(url: str, place: Path, pipe: Connection) -> None:
    """Be a recorder that tells its round trips when it is asked."""
    counted = Counted()

    def tell() -> None:
        with suppress(EOFError, OSError):
            while True:
                pipe.recv()
                pipe.send(counted.trips)

    threading.Thread(target=tell, daemon=True).start()
    serve_recorder(
        place,
        lambda: Recorder(
            lambda: counted.keep(open_writer(url)), SteadyClock(), SystemEntropy(), COMMANDS
        ),
    )


def run_node(url: str, folder: Path, orders: Connection) -> None:
    """Be a node, until nobody orders any more."""
    place = place_of(Database(read_database_url(url)), folder)
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    recorder = spawning.Process(target=run_recorder, args=(url, place, theirs))
    recorder.start()
    theirs.close()
    deadline = time.monotonic() + START_SECONDS_MAX
    while not socket_path(place).exists():
        assert recorder.is_alive(), "the recorder ended"
        assert time.monotonic() < deadline, "the recorder doesn't start"
        time.sleep(0.01)
    try:
        uvloop.run(_serve(url, place, orders, ours))
    finally:
        recorder.terminate()
        recorder.join()


async def _serve(url: str, place: Path, orders: Connection, recorder: Connection) -> None:
    gate = _Gate(url, place, recorder)
    await gate.start()
    loop = asyncio.get_running_loop()
    with suppress(EOFError):
        while True:
            order = await loop.run_in_executor(None, orders.recv)
            orders.send(await gate.run(order))
    await gate.close()


class _Gate:
    def __init__(self, url: str, place: Path, recorder: Connection) -> None:
        self._recorder = recorder
        self._counted = Counted()
        self._clock, entropy = SteadyClock(), SystemEntropy()
        self._directory = Directory()
        self._follower = Follower(self._directory, lambda: self._counted.keep(open_reader(url)))
        self._link = Link(place, RecorderProcess(["false"]))
        self._gatekeeper = Gatekeeper(self._link, self._clock, entropy, hold_ms=HOLD_MS)
        refusals = RefusalLog(self._link, Metrics(), entropy)
        self._admitter = Admitter(self._directory, self._gatekeeper, refusals, entropy)
        self._settler = Settler(self._directory, entropy)
        self._admitted = self._failed = 0

    async def start(self) -> None:
        await self._link.connect()
        await self._follower.start()
        self._gatekeeper.start()

    async def close(self) -> None:
        await self._gatekeeper.close()
        await self._link.close()
        await self._follower.close()

    async def run(self, order: Order) -> Found:
        await self._follower.catch_up()
        self._admitted = self._failed = 0
        keys = cycle(list(self._directory.keys.values())[: order.keys])
        queue = RecordQueue(self._gatekeeper, Metrics(), waiting_max=order.waiting_max)
        queue.start()
        writer_trips, reader_trips = self._writer_trips(), self._counted.trips
        began = time.perf_counter()
        ends = began + order.seconds
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(self._call(order, keys, queue, ends))
        await queue.flush()
        seconds = time.perf_counter() - began
        await queue.close()
        return Found(
            self._admitted,
            seconds,
            self._writer_trips() - writer_trips,
            self._counted.trips - reader_trips,
            self._failed,
        )

    async def _call(
        self, order: Order, keys: cycle[ApiKey], queue: RecordQueue, ends: float
    ) -> None:
        """One caller, until its time is over."""
        while time.perf_counter() < ends:
            try:
                for _ in range(AT_ONCE):
                    await self._admit(order, next(keys), queue)
            except FareboxError as error:
                # Where the queue is full, the recorder sets the pace.
                self._failed += error.kind is not QUEUE_FULL
                await asyncio.sleep(0.002)
            else:
                await asyncio.sleep(0)

    async def _admit(self, order: Order, key: ApiKey, queue: RecordQueue) -> None:
        if not self._follower.is_fresh():
            await self._follower.ensure_fresh()
        queue.check_room()
        expires_ms = None if order.is_recorded else 1_000
        attempt = Attempt(key, None, "POST", "/search", ip="192.0.2.1", expires_after_ms=expires_ms)
        now_ms = self._clock.now_ms()
        hold = self._admitter.decide_now(attempt, now_ms)
        if hold is None:
            hold = await self._admitter.decide(attempt, now_ms)
        assert isinstance(hold, Hold), hold
        self._gatekeeper.wake()
        self._gatekeeper.check_trust()
        if order.is_recorded:
            queue.put(hold, self._settler.request_of_hold(hold, OUTCOME))
        self._admitted += 1

    def _writer_trips(self) -> int:
        self._recorder.send(None)
        trips = self._recorder.recv()
        assert isinstance(trips, int)
        return trips
