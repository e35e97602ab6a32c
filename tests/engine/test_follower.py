"""The follower: the directory of a process is young, or nobody may decide by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine import follower
from farebox.engine.directory import Directory
from farebox.engine.follower import FRESH_SECONDS_MAX, Follower
from farebox.store.contract import Reader, StoreFaultError
from farebox.store.sqlite.database import open_reader
from tests.support.harness import Harness


class Hand:
    """A monotonic clock that a test sets, and a count of the connections opened."""

    def __init__(self, path: Path) -> None:
        self.seconds = 0.0
        self.opened = 0
        self.is_gone = False
        self._path = path

    def __call__(self) -> float:
        return self.seconds

    def open(self) -> Reader:
        if self.is_gone:
            message = "gone"
            raise StoreFaultError(message)
        self.opened += 1
        return open_reader(self._path)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with Harness(tmp_path) as harness:
        yield harness


def test_a_directory_that_is_young_is_not_read_again(harness: Harness) -> None:
    hand, directory = Hand(harness.path), Directory()

    async def run() -> None:
        follower = Follower(directory, hand.open, monotonic=hand)
        await follower.catch_up()
        profile_id = harness.workspace()
        hand.seconds += FRESH_SECONDS_MAX
        await follower.ensure_fresh()
        assert profile_id not in directory.workspaces
        hand.seconds += 0.01
        await follower.ensure_fresh()
        assert profile_id in directory.workspaces
        await follower.close()

    asyncio.run(run())


def test_reach_reads_only_what_is_not_known_yet(harness: Harness) -> None:
    hand, directory = Hand(harness.path), Directory()

    async def run() -> None:
        follower = Follower(directory, hand.open, monotonic=hand)
        await follower.catch_up()
        profile_id = harness.workspace()
        await follower.reach(directory.change_id)
        assert profile_id not in directory.workspaces
        hand.seconds += 0.01
        await follower.reach(harness.directory.change_id)
        assert profile_id in directory.workspaces
        await follower.close()

    asyncio.run(run())


def test_it_follows_by_itself(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "FOLLOW_SECONDS", 0.001)
    directory = Directory()

    async def run() -> None:
        following = Follower(directory, lambda: open_reader(harness.path))
        await following.start()
        profile_id = harness.workspace()
        async with asyncio.timeout(10):
            while profile_id not in directory.workspaces:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.001)
        await following.close()

    asyncio.run(run())


def test_a_store_that_is_gone_is_503_and_found_again(harness: Harness) -> None:
    hand = Hand(harness.path)
    hand.is_gone = True

    async def run() -> None:
        follower = Follower(Directory(), hand.open, monotonic=hand)
        for _ in range(2):
            with pytest.raises(FareboxError) as refused:
                await follower.ensure_fresh()
            assert refused.value.kind is STORE_UNAVAILABLE
        hand.is_gone = False
        await follower.ensure_fresh()
        await follower.close()

    asyncio.run(run())


def test_calls_that_wait_together_share_one_reading(harness: Harness) -> None:
    class Counting(Directory):
        refreshes = 0

        def refresh(self, reader: Reader) -> bool:
            self.refreshes += 1
            return super().refresh(reader)

    directory = Counting()

    async def run() -> None:
        follower = Follower(directory, lambda: open_reader(harness.path))
        await follower.catch_up()
        await asyncio.gather(*(follower.catch_up() for _ in range(50)))
        assert 1 <= directory.refreshes <= 2
        await follower.close()

    asyncio.run(run())


def test_a_reading_that_hangs_is_503_and_waited_for_before_the_next(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "REFRESH_SECONDS_MAX", 0.02)
    go_on = threading.Event()

    def open_slowly() -> Reader:
        go_on.wait(10)
        return open_reader(harness.path)

    async def run() -> None:
        following = Follower(Directory(), open_slowly)
        for _ in range(2):
            with pytest.raises(FareboxError) as refused:
                await following.ensure_fresh()
            assert refused.value.kind is STORE_UNAVAILABLE
        go_on.set()
        monkeypatch.setattr(follower, "REFRESH_SECONDS_MAX", 10)
        await following.ensure_fresh()
        await following.close()

    asyncio.run(run())
