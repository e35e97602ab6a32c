"""Readers: two threads, a bounded queue, a bounded time, and a new connection after a fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.service.readers import THREADS, Readers
from farebox.store.contract import QueryTimeoutError, Reader, StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, open_reader
from tests.support.harness import Harness


class Opened(NamedTuple):
    """The file, and every connection that was opened to it."""

    path: Path
    connections: list[SqliteDatabase]

    def open(self) -> SqliteDatabase:
        self.connections.append(open_reader(self.path))
        return self.connections[-1]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with Harness(tmp_path) as harness:
        yield Opened(harness.path, [])


def count_users(reader: Reader) -> int:
    return reader.integer("changes_last")


def test_work_runs_on_at_most_two_threads_with_a_connection_each(opened: Opened) -> None:
    readers = Readers(opened.open)
    both = threading.Barrier(THREADS, timeout=10)

    def work(_: Reader) -> str:
        both.wait()
        return threading.current_thread().name

    async def run() -> set[str]:
        return set(await asyncio.gather(*(readers.run(work) for _ in range(2 * THREADS))))

    assert len(asyncio.run(run())) == len(opened.connections) == THREADS
    readers.close()


def test_what_waits_is_bounded(opened: Opened) -> None:
    readers = Readers(opened.open, waiting_max=3)
    go_on = threading.Event()

    def work(_: Reader) -> bool:
        return go_on.wait(10)

    async def run() -> None:
        waiting = [asyncio.ensure_future(readers.run(work)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(FareboxError) as refused:
            await readers.run(work)
        assert refused.value.kind is STORE_UNAVAILABLE
        assert refused.value.retry_after_seconds
        go_on.set()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await readers.run(work)

    asyncio.run(run())
    readers.close()


def test_a_query_that_takes_too_long_is_stopped_and_no_other(opened: Opened) -> None:
    readers = Readers(opened.open, query_seconds_max=0.05)

    def endless(reader: Reader) -> None:
        assert isinstance(reader, SqliteDatabase)
        reader._sql["endless"] = (
            "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
        )
        reader.integer("endless")

    async def run() -> None:
        for own_seconds in (0, 0.05, 0):
            with pytest.raises(QueryTimeoutError):
                await readers.run(endless, own_seconds=own_seconds)
            assert await readers.run(count_users) == 0

    asyncio.run(run())
    readers.close()


def test_a_connection_that_failed_is_replaced(opened: Opened) -> None:
    readers = Readers(opened.open)

    def fail(_: Reader) -> None:
        message = "broken"
        raise StoreFaultError(message)

    async def run() -> None:
        with pytest.raises(StoreFaultError):
            await readers.run(fail)
        assert await readers.run(count_users) == 0

    asyncio.run(run())
    assert len(opened.connections) == 2
    readers.close()


def test_what_reads_by_a_connection_that_was_lost_meanwhile_is_done_again(opened: Opened) -> None:
    readers = Readers(opened.open)
    lost: list[Reader] = []

    def count(reader: Reader) -> int:
        if reader in lost:
            message = "the server has closed the connection"
            raise StoreFaultError(message)
        return count_users(reader)

    async def run() -> None:
        assert await readers.run(count) == 0
        lost.extend(opened.connections)
        assert await readers.run(count) == 0

    asyncio.run(run())
    assert len(opened.connections) == 2
    readers.close()


def test_a_store_that_can_t_be_opened_is_a_fault_until_it_can(tmp_path: Path) -> None:
    readers = Readers(lambda: open_reader(tmp_path / "farebox.db"))

    async def run() -> None:
        with pytest.raises(StoreFaultError):
            await readers.run(count_users)
        with Harness(tmp_path):
            assert await readers.run(count_users) == 0

    asyncio.run(run())
    readers.close()
