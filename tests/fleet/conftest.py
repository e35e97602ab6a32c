"""The fleets of tests: one at a time on a machine, for each wants all of it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.fleet.ground import GROUNDS, ground_of
from tests.fleet.world import World

WAIT_SECONDS_MAX = 480


@pytest.fixture(scope="package")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fleets of other processes of the same run have to wait."""
    with (tmp_path_factory.getbasetemp().parent / "fleet.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Worlds:
    """One world at a time, kept for the tests that follow on the same ground."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._factory = tmp_path_factory
        self._stack = ExitStack()
        self._name = ""
        self._world: World | None = None

    def on(self, name: str) -> World:
        """The fleet on a ground; that on another is audited and ended."""
        if self._world is None or self._name != name:
            self.close()
            nodes, workers = GROUNDS[name]
            folder = self._factory.mktemp("fleet")
            with ExitStack() as stack:
                ground = ground_of(name, folder)
                stack.enter_context(ground)
                world = World(folder, ground, nodes=nodes, workers=workers)
                self._world = stack.enter_context(world)
                self._stack = stack.pop_all()
            self._name = name
        return self._world

    def close(self) -> None:
        """End what there is."""
        with self._stack:
            if self._world is not None:
                self._world.audit()
        self._world = None


@pytest.fixture(scope="package")
def worlds(tmp_path_factory: pytest.TempPathFactory, alone: None) -> Iterator[Worlds]:
    """The worlds of all tests."""
    assert alone is None
    with closing(Worlds(tmp_path_factory)) as worlds:
        yield worlds


@pytest.fixture
def world(worlds: Worlds, ground: str) -> World:
    """The fleet on the ground that the test names as its parameter."""
    return worlds.on(ground)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on one ground follow each other, for a world takes seconds to make."""
    places = [n for n, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    for place in places:
        # Whoever waits for its turn has not hung.
        items[place].add_marker(pytest.mark.timeout(WAIT_SECONDS_MAX))
    ours = sorted((items[n] for n in places), key=ground_name)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def ground_name(item: pytest.Item) -> str:
    """The ground of a test; those that need none come first."""
    callspec = getattr(item, "callspec", None)
    return "" if callspec is None else str(callspec.params.get("ground", ""))
