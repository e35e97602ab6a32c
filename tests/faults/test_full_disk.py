"""A disk that is really full: 503 as long as it is, and on by itself when there is room again.

The disk is a tmpfs of two megabytes; to mount one takes root.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.core.request import MeteredRequest
from farebox.engine.messages import Failed, Recorded
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, counts, record, request

SIZE_BYTES = 2 * 1024 * 1024
NEEDED = "to mount a tmpfs takes root: run the tests as root, or with `unshare --user --mount -r`"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.fail(f"{mounted.stderr.strip()}; {NEEDED}", pytrace=False)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Ballast:
    """A file that takes what room is left on a disk."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def take_all(self, but_bytes: int = 0) -> None:
        """Fill the disk up, but for some room."""
        with self._path.open("ab", buffering=0) as file:
            for block in (b"x" * 4096, b"x"):
                try:
                    while True:
                        file.write(block)
                except OSError:
                    continue
            file.truncate(max(0, file.tell() - but_bytes))

    def free(self) -> None:
        """Give all of it back."""
        self._path.unlink(missing_ok=True)


class Caller:
    """Sends requests, and sends again with the same ids what was not acknowledged."""

    def __init__(self, world: World, profile_id: int) -> None:
        self.world = world
        self.profile_id = profile_id
        self.sent = 0
        self.refused = 0
        self.acknowledged: set[bytes] = set()
        self.unsettled: list[list[MeteredRequest]] = []

    def send(self, groups: int, rows: int) -> list[bool]:
        """New groups in one commit; which were acknowledged."""
        made = [[self._row() for _ in range(rows)] for _ in range(groups)]
        return self._hand_over(made)

    def retry(self) -> list[bool]:
        """All that is not settled."""
        groups, self.unsettled = self.unsettled, []
        return self._hand_over(groups)

    def _row(self) -> MeteredRequest:
        self.sent += 1
        return request(self.profile_id, f"request-{self.sent}", credits_micro=MICRO)

    def _hand_over(self, groups: list[list[MeteredRequest]]) -> list[bool]:
        replies = self.world.handle(*(record(*g, call_id=n) for n, g in enumerate(groups)))
        for group, reply in zip(groups, replies, strict=True):
            if isinstance(reply, Failed):
                assert reply.code == STORE_UNAVAILABLE.code, reply
                self.unsettled.append(group)
                self.refused += 1
            else:
                assert counts(reply, group)[2:] == (0, 0)
                self.acknowledged.update(row.identity for row in group)
        return [isinstance(reply, Recorded) for reply in replies]

    def check(self) -> None:
        """What was acknowledged is there, once, and nothing else is."""
        stored = {identity for (identity,) in self.world.select("select identity from identities")}
        assert stored == self.acknowledged
        assert not differences(self.world.db)


def test_a_full_disk_is_503_until_there_is_room(small_disk: Path) -> None:
    with World(small_disk, synchronous="full", checkpoint_pages=50) as world:
        caller = Caller(world, world.workspace())
        ballast = Ballast(small_disk)
        assert all(caller.send(3, 20))
        ballast.take_all()
        for _ in range(30):
            outcomes = caller.send(3, 20)
            assert len(set(outcomes)) == 1, "what is committed together is told the same"
            world.recorder.tick()
        assert caller.refused > 15, "at last nothing fits any more"
        assert world.reader.integer("commits_last") > 0, "reading goes on"
        ballast.free()
        assert all(caller.retry())
        assert all(caller.send(3, 20))
        caller.check()


@pytest.mark.parametrize("seed", range(3))
def test_room_that_comes_and_goes_loses_and_doubles_nothing(small_disk: Path, seed: int) -> None:
    chance = random.Random(seed)
    with World(small_disk, synchronous="full", checkpoint_pages=chance.choice((10, 60))) as world:
        caller = Caller(world, world.workspace())
        ballast = Ballast(small_disk)
        for _ in range(20):
            ballast.take_all(but_bytes=chance.randrange(20_000))
            for _ in range(chance.randint(2, 8)):
                caller.send(chance.randint(1, 3), chance.randint(1, 15))
                if chance.random() < 0.3:
                    caller.retry()
                world.recorder.tick()
            ballast.free()
            caller.retry()
            if chance.random() < 0.3:
                world.reopen()
        assert not caller.unsettled
        assert caller.refused > 5
        caller.check()


def test_a_recorder_that_finds_no_room_to_start_starts_when_there_is(small_disk: Path) -> None:
    database = small_disk / "farebox.db"
    ballast = Ballast(small_disk)
    ballast.take_all(but_bytes=8_192)
    process = RecorderProcess(recorder_command(database))
    with pytest.raises(FareboxError) as refused:
        SyncLink(database, process)
    assert refused.value.kind is STORE_UNAVAILABLE
    ballast.free()
    with SyncLink(database, process) as link:
        assert link.record([]).duplicates == []
    process.end(20)
