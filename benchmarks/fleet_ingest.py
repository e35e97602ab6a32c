"""Ingest into PostgreSQL by four nodes at once, against a bare COPY of the same rows.

Each node is a process that sends batches of 1,000 reported requests of one workspace to its
recorder's process, two under way; all of them add to the same sums. Rounds with and without
credits take turns with two of COPY, of as many rows, four connections and 1,000 rows a commit,
made beforehand: into a table without keys and indexes, and into the same `requests` with its
partitions, keys and indexes, but without identities, sums and charges.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from benchmarks.fleet import server
from benchmarks.ingest import BATCH_ROWS, fresh_rows
from benchmarks.table import Row
from benchmarks.world import World, make_world
from farebox.core.database_url import read_database_url
from farebox.core.request import MeteredRequest
from farebox.engine.paths import place_of
from farebox.engine.spawn import recorder_process
from farebox.engine.sync_link import SyncLink
from farebox.store.database import Database
from farebox.store.postgres.connection import open_writer
from tests.support.cluster import SUPERUSER, Cluster
from tests.support.waiting import until

NODES = 4
UNDERWAY = 2
BATCHES = 12
PREPARE_SECONDS_MAX, ROUND_SECONDS_MAX = 60.0, 120.0
CHARGED, FREE, TO_BARE, TO_REQUESTS = "charged", "free", "bare", "requests"
MODES = (CHARGED, FREE, TO_BARE, TO_REQUESTS)
MICRO = 3_000_000
COLUMNS = (
    "profile_id, query_log_id, time_ms, key_id, log_type_id, channel, credits_micro, method, "
    "path, status_code, duration_ms, response_size, ip, authentication_type, commit_id"
)


class Start(NamedTuple):
    """What a process is to know: its database and folder, and the server for COPY."""

    url: str
    folder: Path
    conninfo: str
    world: World


def compare(seconds: float, *, in_memory: bool = False) -> Row:
    """Rates as a ratio to COPY into the same table; for so many seconds."""
    rounds: list[dict[str, float]] = []
    with server(in_memory=in_memory) as cluster, tempfile.TemporaryDirectory() as folder:
        url, world = _made(cluster, Path(folder) / "made")
        copied = _copied(cluster)
        conninfo = f"host={cluster.folder} port={cluster.port} user={SUPERUSER} dbname={copied}"
        starts = [
            Start(url, Path(folder) / f"node-{number}", conninfo, world) for number in range(NODES)
        ]
        with _workers(starts) as pipes:
            ends = time.monotonic() + seconds
            while len(rounds) < 2 or time.monotonic() < ends:
                rounds.append({mode: _round(pipes, mode) for mode in MODES})
        deadlocks = _deadlocks(cluster, url.rpartition("/")[2])
    del rounds[0]  # it warms up
    rate = {mode: median(one[mode] for one in rounds) for mode in MODES}
    over = {
        (mode, to): median(one[mode] / one[to] for one in rounds)
        for mode in (CHARGED, FREE)
        for to in (TO_BARE, TO_REQUESTS)
    }
    return Row(
        f"ingest by {NODES} nodes for {seconds:.0f} s, batches of 1,000 with credits, over COPY "
        "into the same table; the target is no deadlock",
        f"{rate[CHARGED]:,.0f} and {rate[TO_REQUESTS]:,.0f} rows/s; without credits "
        f"{rate[FREE]:,.0f}, ratio {over[FREE, TO_REQUESTS]:.2f}; COPY into a table without "
        f"indexes {rate[TO_BARE]:,.0f}, ratios {over[CHARGED, TO_BARE]:.2f} and "
        f"{over[FREE, TO_BARE]:.2f}; rounds {len(rounds)}, deadlocks {deadlocks}",
        over[CHARGED, TO_REQUESTS],
        "0 deadl.",
        deadlocks == 0,
    )


def run_worker(start: Start, pipe: Connection) -> None:
    """Be a node's server, and one that copies, until nobody asks any more."""
    database = Database(read_database_url(start.url))
    place = place_of(database, start.folder)
    process = recorder_process(database, place, dict(os.environ))
    with (
        SyncLink(place, process) as recorder,
        psycopg.connect(start.conninfo, autocommit=True) as connection,
        suppress(EOFError),
    ):
        while True:
            mode = pipe.recv()
            micro = 0 if mode == FREE else MICRO
            batches = [fresh_rows(start.world, micro) for _ in range(BATCHES)]
            texts = [_text(rows) for rows in batches] if mode in {TO_BARE, TO_REQUESTS} else []
            pipe.send("ready")
            pipe.recv()
            began = time.perf_counter()
            if texts:
                _copy(connection, mode, texts)
            else:
                _record(recorder, batches)
            pipe.send(time.perf_counter() - began)
    process.end(ROUND_SECONDS_MAX)


def _record(recorder: SyncLink, batches: list[list[MeteredRequest]]) -> None:
    for number, rows in enumerate(batches):
        recorder.send_record(rows)
        if number + 1 >= UNDERWAY:
            assert not recorder.receive_recorded().rejected
    for _ in range(UNDERWAY - 1):
        assert not recorder.receive_recorded().rejected


def _copy(
    connection: psycopg.Connection[tuple[object, ...]], table: str, texts: list[bytes]
) -> None:
    statement = f"copy {table} ({COLUMNS}) from stdin".encode()
    for text in texts:
        with connection.cursor().copy(statement) as copy:
            copy.write(text)


def _text(rows: list[MeteredRequest]) -> bytes:
    """Rows as COPY takes them."""
    return "".join("\t".join(map(_field, row[:1] + row[3:] + (1,))) + "\n" for row in rows).encode()


def _field(value: object) -> str:
    if value is None:
        return r"\N"
    return rf"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _round(pipes: Sequence[Connection], mode: str) -> float:
    """Rows/s of all processes together."""
    for pipe in pipes:
        pipe.send(mode)
    for pipe in pipes:
        assert pipe.poll(PREPARE_SECONDS_MAX), "a process doesn't prepare"
        pipe.recv()
    for pipe in pipes:
        pipe.send("go")
    seconds: list[float] = []
    for pipe in pipes:
        assert pipe.poll(ROUND_SECONDS_MAX), "a process doesn't end its round"
        seconds.append(pipe.recv())
    rows = len(pipes) * BATCHES * BATCH_ROWS
    return rows / max(seconds)


def _made(cluster: Cluster, folder: Path) -> tuple[str, World]:
    """A database with a workspace."""
    url = cluster.create_database()
    database = Database(read_database_url(url))
    place = place_of(database, folder)
    process = recorder_process(database, place, dict(os.environ))
    with SyncLink(place, process) as recorder:
        world = make_world(recorder)
    process.end(ROUND_SECONDS_MAX)
    return url, world


def _copied(cluster: Cluster) -> str:
    """A database with the same tables and this month's partition, and one without indexes."""
    url = cluster.create_database()
    Database(read_database_url(url)).prepare()
    with closing(open_writer(url)) as writer:
        writer.execute("month_make", log="requests", first_ms=time.time_ns() // 1_000_000)
    name = url.rpartition("/")[2]
    cluster.control("create table bare (like requests)", database=name)
    return name


@contextmanager
def _workers(starts: Sequence[Start]) -> Iterator[list[Connection]]:
    spawning = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for start in starts:
            ours, theirs = spawning.Pipe()
            worker = spawning.Process(target=run_worker, args=(start, theirs))
            worker.start()
            theirs.close()
            stack.callback(worker.join)
            pipes.append(ours)
        for pipe in pipes:
            stack.callback(pipe.close)
        yield pipes


def _deadlocks(cluster: Cluster, database: str) -> int:
    """Of a database that everybody has left: a session's counts are there when it has ended."""
    sessions = "select 1 from pg_stat_activity where datname = %s"
    until(lambda: not cluster.control(sessions, (database,)))
    counted = "select deadlocks from pg_stat_database where datname = %s"
    ((deadlocks,),) = cluster.control(counted, (database,))
    assert isinstance(deadlocks, int)
    return deadlocks
