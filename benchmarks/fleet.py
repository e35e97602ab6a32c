"""A fleet to measure: a PostgreSQL server, a database with workspaces, and nodes on it.

The server is the benchmark's own, in memory (/dev/shm, where a sync costs nothing) or on the disk;
`fsync` and `synchronous_commit` are on in both. Each node is a process with a gate and a process
with its recorder, as in earnest, in a runtime folder of its own as on a machine of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from benchmarks.fleet_node import Found, Order, run_node
from benchmarks.gate import populate
from farebox.core.database_url import read_database_url
from farebox.engine.paths import place_of
from farebox.engine.spawn import recorder_process
from farebox.engine.sync_link import SyncLink
from farebox.store.database import Database
from tests.support.cluster import Cluster

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
STOP_SECONDS_MAX = 20.0
ANSWER_SECONDS_MAX = 120.0

Answer = TypeVar("Answer")


class Rate(NamedTuple):
    """What nodes have done together."""

    admitted: int
    per_second: float
    trips: int
    failed: int


class Node:
    """The parent's hand on a node."""

    def __init__(self, url: str, folder: Path) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=run_node, args=(url, folder, theirs))
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()
        self._process.join(STOP_SECONDS_MAX)
        if self._process.is_alive():
            self._process.terminate()

    def dismiss(self) -> None:
        """Have it end; nobody waits for that yet."""
        self._pipe.close()

    def tell(self, order: Order) -> None:
        """Have it begin."""
        self._pipe.send(order)

    def found(self) -> Found:
        """What came of it."""
        return received(self._pipe, Found)


def received(pipe: Connection, expected: type[Answer]) -> Answer:
    """What a process of ours answers, in time."""
    assert pipe.poll(ANSWER_SECONDS_MAX), "a process doesn't answer"
    answer = pipe.recv()
    assert isinstance(answer, expected), answer
    return answer


@contextmanager
def server(*, in_memory: bool = True) -> Iterator[Cluster]:
    """A server, with more room than that of the tests."""
    with Cluster(in_memory=in_memory, settings=SETTINGS) as cluster:
        yield cluster


@contextmanager
def nodes(
    cluster: Cluster, workspaces: int, count: int = 1, *, is_limited: bool = True
) -> Iterator[list[Node]]:
    """Nodes that know some workspaces of a new database."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = cluster.create_database()
        made_by = Path(folder) / "made"
        database = Database(read_database_url(url))
        place = place_of(database, made_by)
        process = recorder_process(database, place, dict(os.environ))
        with SyncLink(place, process) as recorder:
            populate(recorder, workspaces, is_limited=is_limited)
        process.end(STOP_SECONDS_MAX)
        folders = [Path(folder) / f"node-{number}" for number in range(count)]
        fleet = [stack.enter_context(Node(url, one)) for one in folders]
        for node in fleet:
            stack.callback(node.dismiss)
        yield fleet


def together(of: Sequence[Node], order: Order) -> Rate:
    """What nodes do at the same time."""
    for node in of:
        node.tell(order)
    found = [node.found() for node in of]
    admitted = sum(one.admitted for one in found)
    return Rate(
        admitted,
        admitted / max(one.seconds for one in found),
        sum(one.writer_trips + one.reader_trips for one in found),
        sum(one.failed for one in found),
    )
