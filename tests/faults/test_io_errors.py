"""A disk that fails: who waits is told 503, what was acknowledged stays, a retry settles the rest.

The call that fails moves on by one until a run passes clean: so each write, sync, truncation,
deletion, opening and reading of the story below fails once, in each way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from farebox.core.errors import STORE_UNAVAILABLE
from farebox.core.instant import MS_PER_DAY
from farebox.core.request import MeteredRequest
from farebox.engine.messages import Answered, Call, Failed, Message, Record, Recorded
from tests.support.faulty_vfs import (
    CHANGING,
    DISK_FULL,
    IO_ERROR,
    SYNC_LOST,
    SYNC_UNSURE,
    Fault,
    FaultyVfs,
    Kind,
)
from tests.support.truth import differences
from tests.support.worlds import MICRO, Give, World, counts, record, request

COMMITS = 5
CALLERS = 3


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    """A database with a workspace, ready to be copied, and the workspace."""
    folder = tmp_path_factory.mktemp("populated")
    with World(tmp_path_factory.mktemp("made")) as world:
        profile_id = world.workspace()
        world.copy_to(folder)
    return (folder / "farebox.db").read_bytes(), profile_id


@pytest.fixture
def vfs() -> Iterator[FaultyVfs]:
    with FaultyVfs() as made:
        yield made


def faulty_world(folder: Path, populated: tuple[bytes, int], vfs: FaultyVfs) -> World:
    folder.mkdir(exist_ok=True)
    (folder / "farebox.db").write_bytes(populated[0])
    return World(folder, vfs=vfs.vfs, synchronous="full", checkpoint_pages=12)


class Story:
    """Some commits of some callers, a command after each; what was acknowledged of it."""

    def __init__(self, world: World, profile_id: int) -> None:
        self.world = world
        self.profile_id = profile_id
        self.acknowledged: dict[bytes, int] = {}
        self.unsettled: list[Message] = []
        self.given = 0
        self.failures = 0

    def tell(self) -> None:
        """Tell all of it, and take note of every answer."""
        for commit in range(COMMITS):
            self.send(
                *(
                    record(*(self.row(commit, caller, n) for n in range(3)), call_id=caller)
                    for caller in range(CALLERS)
                )
            )
            self.give(commit)
            self.world.clock.advance(1_000)
            self.world.recorder.tick()

    def settle(self) -> None:
        """Retry once, with the same ids, what was not acknowledged."""
        unsettled, self.unsettled = self.unsettled, []
        for message in unsettled:
            self.send(message)
        assert not self.unsettled

    def row(self, commit: int, caller: int, number: int) -> MeteredRequest:
        request_id = f"{commit}-{caller}-{number}"
        return request(self.profile_id, request_id, credits_micro=MICRO, key_id=f"key-{caller}")

    def send(self, *messages: Message) -> None:
        replies = self.world.handle(*messages)
        assert [r.call_id for r in replies] == [m.call_id for m in messages]
        for message, reply in zip(messages, replies, strict=True):
            if isinstance(reply, Failed):
                assert reply.code == STORE_UNAVAILABLE.code, reply
                self.unsettled.append(message)
                self.failures += 1
            elif isinstance(message, Record):
                assert isinstance(reply, Recorded)
                assert counts(reply, message.rows)[2:] == (0, 0)
                for row in message.rows:
                    self.acknowledged[row.identity] = self.acknowledged.get(row.identity, 0) + 1
            else:
                assert isinstance(reply, Answered)
                self.given += 1

    def give(self, commit: int) -> None:
        arguments = msgspec.msgpack.encode(Give(self.profile_id, MICRO))
        self.send(Call(9, "test.give", arguments, "test", f"give-{commit}"))

    def check_acknowledged(self) -> None:
        """What was acknowledged is there, once."""
        found = [i for (i,) in self.world.select("select identity from identities")]
        assert set(self.acknowledged) <= set(found)
        assert len(found) == len(set(found))
        ((grants,),) = self.world.select("select count(*) from grants where kind = 'topup'")
        assert grants >= self.given

    def check_whole(self) -> None:
        """All of the story is there, once."""
        assert len(self.acknowledged) == COMMITS * CALLERS * 3
        assert set(self.acknowledged.values()) == {1}
        assert self.given == COMMITS
        self.check_acknowledged()
        ((rows,),) = self.world.select("select count(*) from requests")
        ((grants,),) = self.world.select("select count(*) from grants where kind = 'topup'")
        assert (rows, grants) == (COMMITS * CALLERS * 3, COMMITS)
        spent_micro = COMMITS * CALLERS * 3 * MICRO
        expected_micro = 1000 * MICRO + COMMITS * MICRO - spent_micro
        assert self.world.balance_micro(self.profile_id) == expected_micro
        assert not differences(self.world.db)


FAULTS: dict[str, tuple[Fault, tuple[Kind, ...]]] = {
    "an error that changes nothing": (IO_ERROR, CHANGING),
    "a full disk": (DISK_FULL, ("write", "truncate")),
    "a sync that fails and drops its data": (SYNC_LOST, ("sync",)),
    "an error after the deed": (SYNC_UNSURE, CHANGING),
    "an error of reading or opening": (IO_ERROR, ("read", "open")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_single_failure_is_survived(
    name: str, tmp_path: Path, populated: tuple[bytes, int], vfs: FaultyVfs
) -> None:
    fault, kinds = FAULTS[name]
    failed = 0
    for number in itertools.count():
        with faulty_world(tmp_path / str(number), populated, vfs) as world:
            story = Story(world, populated[1])
            counter = vfs.fail_call(number, fault, kinds)
            story.tell()
            vfs.heal()
            story.check_acknowledged()
            story.settle()
            story.check_whole()
            failed += story.failures
            if not counter.is_met:
                assert story.failures == 0
                break
    assert number > 5, "the story must have calls to fail"
    assert failed > 0, "a failure must have reached somebody"


def test_all_who_are_committed_together_are_told_503_together(
    tmp_path: Path, populated: tuple[bytes, int], vfs: FaultyVfs
) -> None:
    with faulty_world(tmp_path / "world", populated, vfs) as world:
        story = Story(world, populated[1])
        story.send(record(story.row(0, 0, 0)))
        vfs.fail_call(0, SYNC_UNSURE, ("sync",))
        story.send(*(record(story.row(1, n, 0), call_id=n) for n in range(CALLERS)))
        assert story.failures == CALLERS
        story.settle()
        assert set(story.acknowledged.values()) == {1}
        assert world.select("select count(*) from requests") == [(1 + CALLERS,)]
        assert not differences(world.db)


def test_a_commit_that_was_done_after_all_is_found_by_the_retry(
    tmp_path: Path, populated: tuple[bytes, int], vfs: FaultyVfs
) -> None:
    """The error came after the sync: the outcome was unknown, and the retry tells it."""
    with faulty_world(tmp_path / "world", populated, vfs) as world:
        world.reader.close()  # so that the log is read anew, as after a restart
        world.handle(record(request(populated[1], "first")))
        rows = [request(populated[1], str(n), credits_micro=MICRO) for n in range(5)]
        vfs.fail_call(0, SYNC_UNSURE, ("sync",))
        (lost,) = world.handle(record(*rows))
        assert isinstance(lost, Failed)
        (found,) = world.handle(record(*rows))
        assert counts(found, rows) == (0, 5, 0, 0)
        store = world.open_store()
        assert not differences(world.home.open_look(store))
        store.close()


def test_what_fails_while_nobody_asks_costs_nobody_an_answer(
    tmp_path: Path, populated: tuple[bytes, int], vfs: FaultyVfs
) -> None:
    with faulty_world(tmp_path / "world", populated, vfs) as world:
        story = Story(world, populated[1])
        story.send(record(story.row(0, 0, 0)))
        world.clock.advance(31 * MS_PER_DAY)
        vfs.fail_call(0, IO_ERROR, ("write",))
        assert world.recorder.tick() > 0
        world.settle()
        assert world.select("select count(*) from periods") == [(2,)]
        story.send(record(story.row(0, 1, 0)))
        assert story.failures == 0
        assert not differences(world.db)


@pytest.mark.parametrize("kinds", [("write",), ("sync",), ("open",), ("read", "write")])
def test_as_long_as_the_disk_fails_all_is_503_and_then_it_goes_on(
    kinds: tuple[Kind, ...], tmp_path: Path, populated: tuple[bytes, int], vfs: FaultyVfs
) -> None:
    with faulty_world(tmp_path / "world", populated, vfs) as world:
        story = Story(world, populated[1])
        if "open" in kinds:
            world.recorder.close()
        vfs.fail_always(IO_ERROR, kinds)
        story.tell()
        assert not story.acknowledged
        assert story.given == 0
        vfs.heal()
        story.settle()
        story.check_whole()
