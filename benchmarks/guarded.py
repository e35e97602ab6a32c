"""What an expert would write in place of a gate: one guarded UPDATE per request, in PostgreSQL.

`update … set balance = balance - n where id = … and balance >= n`, prepared once, a commit per
request with `synchronous_commit` on, by some processes with a connection each that do nothing
else. The table has room for updates in place. `is_logged` has the same statement insert a log row,
too, into a table without a key or an index.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

import psycopg

from tests.support.cluster import Cluster

WORKERS = 4
MICRO = 3_000_000
ANSWER_SECONDS_MAX = 60.0
_TABLES = """
create table balances (id bigint primary key, balance bigint not null) with (fillfactor = 50);
create table log (
  id bigint, query_log_id bytea, time_ms bigint, key_id text, method text, path text,
  status_code int, duration_ms int, response_size int, ip text, credits bigint
);
"""
_FILL = "insert into balances select n, 1000000000000000 from generate_series(1, %s) as n"
_TAKE = b"update balances set balance = balance - $1 where id = $2 and balance >= $1"
_TAKE_AND_LOG = (
    b"with taken as (" + _TAKE + b" returning id) insert into log select id, $3, $4, "
    b"'key_0123456789', 'POST', '/search', 200, 12, 3456, '192.0.2.1', $1 from taken"
)
_BIGINT, _BYTEA = 20, 17


class Turn(NamedTuple):
    """For how long to take from how many balances, with a log row or without."""

    seconds: float
    balances: int
    is_logged: bool


class Guarded:
    """Workers that wait for their turn."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def rate(self, seconds: float, *, balances: int = 1, is_logged: bool = False) -> float:
        """Requests/s of all of them together."""
        for pipe in self._pipes:
            pipe.send(Turn(seconds, balances, is_logged))
        taken = 0
        for pipe in self._pipes:
            assert pipe.poll(ANSWER_SECONDS_MAX), "a worker doesn't answer"
            taken += pipe.recv()
        return taken / seconds


@contextmanager
def guarded(cluster: Cluster, balances: int) -> Iterator[Guarded]:
    """Workers on a new database of the same server."""
    url = cluster.create_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES.encode())
        connection.execute(_FILL, (balances,))
    spawning = multiprocessing.get_context("spawn")
    pairs = [spawning.Pipe() for _ in range(WORKERS)]
    workers = [spawning.Process(target=run_worker, args=(url, theirs)) for _, theirs in pairs]
    for worker, (_, theirs) in zip(workers, pairs, strict=True):
        worker.start()
        theirs.close()
    try:
        yield Guarded([ours for ours, _ in pairs])
    finally:
        for ours, _ in pairs:
            ours.close()
        for worker in workers:
            worker.join()


def run_worker(url: str, pipe: Connection) -> None:
    """Take turns until nobody asks any more."""
    with psycopg.connect(url, autocommit=True) as connection, suppress(EOFError):
        (mode,) = connection.execute("show synchronous_commit").fetchall()[0]
        assert mode == "on"
        server = connection.pgconn
        server.prepare(b"take", _TAKE, (_BIGINT, _BIGINT))
        server.prepare(b"log", _TAKE_AND_LOG, (_BIGINT, _BIGINT, _BYTEA, _BIGINT))
        while True:
            turn: Turn = pipe.recv()
            pipe.send(_taken(connection, turn))


def _taken(connection: psycopg.Connection[tuple[object, ...]], turn: Turn) -> int:
    """How many requests were taken for."""
    server = connection.pgconn
    amount = b"%d" % MICRO
    taken = 0
    ends = time.perf_counter() + turn.seconds
    while time.perf_counter() < ends:
        balance = b"%d" % (1 if turn.balances == 1 else random.randint(1, turn.balances))
        if turn.is_logged:
            log = (b"\\x%032x" % random.getrandbits(128), b"%d" % (time.time_ns() // 1_000_000))
            done = server.exec_prepared(b"log", (amount, balance, *log))
        else:
            done = server.exec_prepared(b"take", (amount, balance))
        assert done.command_tuples == 1, done.error_message
        taken += 1
    return taken
