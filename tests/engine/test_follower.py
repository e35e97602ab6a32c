"""The follower: a directory that is young enough to decide by, or 503."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine import follower as following
from farebox.engine.directory import Directory
from farebox.engine.follower import FRESH_SECONDS_MAX, Follower
from farebox.store.contract import Reader, StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, open_reader
from tests.support.worlds import World


class Time:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Opening:
    """Opens readers, or fails; counts both."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_gone = False
        self.readers: list[SqliteDatabase] = []

    def __call__(self) -> Reader:
        if self.is_gone:
            message = "gone"
            raise StoreFaultError(message)
        self.readers.append(open_reader(self.path))
        return self.readers[-1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.workspace()
        yield made


class Scene:
    """A follower of a world, on the loop of a story."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.time = Time()
        self.opening = Opening(world.path)
        self.directory = Directory()
        self.follower = Follower(self.directory, self.opening, monotonic=self.time)


def play(world: World, story: Callable[[Scene], Coroutine[None, None, None]]) -> None:
    async def whole() -> None:
        scene = Scene(world)
        try:
            await asyncio.wait_for(story(scene), 20)
        finally:
            await scene.follower.close()

    asyncio.run(whole())


async def is_refused(asked: Coroutine[None, None, None]) -> bool:
    try:
        await asked
    except FareboxError as error:
        return error.kind is STORE_UNAVAILABLE
    return False


def test_what_was_committed_before_the_call_is_known_after_it(world: World) -> None:
    async def story(scene: Scene) -> None:
        await scene.follower.catch_up()
        for _ in range(3):
            scene.time.now += 0.01
            key_id = world.key(1)
            assert key_id not in scene.directory.keys
            await scene.follower.catch_up()
            assert key_id in scene.directory.keys

    play(world, story)


def test_it_is_read_again_only_when_it_is_too_old(world: World) -> None:
    async def story(scene: Scene) -> None:
        await scene.follower.catch_up()
        key_id = world.key(1)
        scene.time.now += FRESH_SECONDS_MAX * 0.99
        await scene.follower.ensure_fresh()
        assert key_id not in scene.directory.keys
        scene.time.now += FRESH_SECONDS_MAX * 0.02
        await scene.follower.ensure_fresh()
        assert key_id in scene.directory.keys

    play(world, story)


def test_an_own_change_is_followed_at_once(world: World) -> None:
    async def story(scene: Scene) -> None:
        await scene.follower.catch_up()
        key_id = world.key(1)
        await scene.follower.reach(scene.directory.change_id)
        assert key_id not in scene.directory.keys
        scene.time.now += 0.001
        await scene.follower.reach(world.directory.change_id)
        assert key_id in scene.directory.keys

    play(world, story)


def test_those_who_wait_together_share_one_reading(world: World) -> None:
    reads = 0

    class Counting(Directory):
        def refresh(self, reader: Reader) -> bool:
            nonlocal reads
            reads += 1
            return super().refresh(reader)

    async def story(scene: Scene) -> None:
        scene.follower._directory = Counting()
        await scene.follower.catch_up()
        scene.time.now += 5
        await asyncio.gather(*(scene.follower.catch_up() for _ in range(50)))
        assert reads <= 2

    play(world, story)


def test_a_store_that_is_gone_is_503_and_not_an_old_answer(world: World) -> None:
    async def story(scene: Scene) -> None:
        await scene.follower.catch_up()
        scene.opening.readers[0].connection.close()
        scene.opening.is_gone = True
        assert not await is_refused(scene.follower.ensure_fresh()), "it is young enough"
        scene.time.now += FRESH_SECONDS_MAX + 0.001
        for _ in range(2):
            assert await is_refused(scene.follower.ensure_fresh())
        scene.opening.is_gone = False
        await scene.follower.ensure_fresh()
        assert len(scene.opening.readers) == 2

    play(world, story)


def test_a_reading_that_hangs_is_503_in_time_and_not_piled_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "REFRESH_SECONDS_MAX", 0.02)
    go_on = threading.Event()
    begun = 0

    class Hanging(Directory):
        def load(self, reader: Reader) -> None:
            nonlocal begun
            begun += 1
            go_on.wait(20)
            super().load(reader)

    async def story(scene: Scene) -> None:
        scene.follower._directory = Hanging()
        for _ in range(3):
            scene.time.now += 1
            assert await is_refused(scene.follower.catch_up())
        assert begun == 1
        go_on.set()
        scene.time.now += 1
        await scene.follower.catch_up()
        scene.time.now += 1
        await scene.follower.catch_up()

    play(world, story)


def test_it_follows_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOW_SECONDS", 0.001)

    async def story(scene: Scene) -> None:
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Telling(Directory):
            def refresh(self, reader: Reader) -> bool:
                if super().refresh(reader):
                    loop.call_soon_threadsafe(changed.set)
                return False

        scene.follower._directory = directory = Telling()
        await scene.follower.start()
        scene.follower._monotonic = asyncio.get_running_loop().time
        key_id = world.key(1)
        await changed.wait()
        assert key_id in directory.keys

    play(world, story)


def test_a_start_without_a_store_is_refused(world: World) -> None:
    async def story(scene: Scene) -> None:
        scene.opening.is_gone = True
        assert await is_refused(scene.follower.start())

    play(world, story)
