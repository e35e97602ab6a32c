"""Power cuts: what was acknowledged is there afterwards, once, and every sum agrees.

A run's writes and syncs are noted, with a mark at each acknowledgement. Then the power is cut at
random places: what was synced stays, and of the rest any part does, in any order, torn at any
sector. The database that is found must open, be sound, and hold what had been acknowledged.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.request import MeteredRequest
from farebox.engine.messages import Failed
from farebox.service.audit import run_audit
from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, open_writer
from farebox.store.sqlite.migrate import migrate
from tests.support.faulty_vfs import DEAD, SYNC_LOST, Disk, Fault, FaultyVfs, Note
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, record, request

COMMITS = 40
CHECKPOINT_PAGES = 25
IMAGES = 500
# A second opinion costs time: every so many images get one.
AUDITED = 10
LONG = [pytest.mark.long, pytest.mark.timeout(1_800)]
SEEDS = [0, 1, *(pytest.param(seed, marks=LONG) for seed in range(2, 30))]


class Run(NamedTuple):
    """What a run left to be played back: the files as they were at first, and the notes."""

    contents: dict[str, bytes]
    notes: list[Note]


class Populated(NamedTuple):
    """A database's content, with its workspace and keys."""

    content: bytes
    profile_id: int
    key_ids: list[str]


class Loss(NamedTuple):
    """What was wrong after the power cuts."""

    images: int
    lost: int
    broken: list[str]


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Populated:
    folder = tmp_path_factory.mktemp("populated")
    with World(tmp_path_factory.mktemp("made")) as world:
        profile_id = world.workspace(timezone="America/St_Johns")
        key_ids = [world.key(profile_id) for _ in range(3)]
        world.copy_to(folder)
    return Populated((folder / "farebox.db").read_bytes(), profile_id, key_ids)


@pytest.fixture
def vfs() -> Iterator[FaultyVfs]:
    with FaultyVfs() as made:
        yield made


class Writer:
    """Writes at random into a world, and marks what is acknowledged."""

    def __init__(self, world: World, vfs: FaultyVfs, populated: Populated, seed: int) -> None:
        self.world = world
        self.vfs = vfs
        self.profile_id = populated.profile_id
        self.key_ids = populated.key_ids
        self.random = random.Random(seed)
        self.sent = 0
        self.unsettled: list[MeteredRequest] = []

    def commit(self) -> None:
        """New requests, with what is not settled, and the time going on."""
        self.send([self.row() for _ in range(self.random.randint(1, 12))])
        self.world.clock.advance(self.random.choice((10, MS_PER_HOUR, 3 * MS_PER_DAY)))
        self.world.recorder.tick()

    def send(self, rows: list[MeteredRequest]) -> None:
        """A group of two records."""
        rows, self.unsettled = rows + self.unsettled, []
        half = self.random.randint(0, len(rows))
        groups = (rows[:half], rows[half:])
        replies = self.world.handle(*(record(*group) for group in groups))
        for group, reply in zip(groups, replies, strict=True):
            if isinstance(reply, Failed):
                self.unsettled += group
            else:
                self.vfs.mark([row.identity for row in group])

    def row(self) -> MeteredRequest:
        self.sent += 1
        return request(
            self.profile_id,
            f"request-{self.sent}",
            key_id=self.random.choice(self.key_ids),
            credits_micro=self.random.randrange(9) * MICRO,
            time_ms=self.world.now_ms - self.random.randrange(2 * MS_PER_DAY),
        )


def run(
    folder: Path,
    populated: Populated,
    vfs: FaultyVfs,
    *,
    seed: int,
    synchronous: str = "full",
    fault: Fault | None = None,
) -> Run:
    """Some commits; with a fault, some of them meet it at every sync, and are then retried."""
    (folder / "farebox.db").write_bytes(populated.content)
    with World(
        folder,
        vfs=vfs.vfs,
        seed=seed,
        synchronous=synchronous,
        checkpoint_pages=CHECKPOINT_PAGES,
    ) as world:
        # Without other connections the log is read anew whenever the recorder opens the database.
        world.reader.close()
        contents = {"farebox.db": (folder / "farebox.db").read_bytes()}
        writer = Writer(world, vfs, populated, seed)
        for _ in range(COMMITS):
            if fault is not None and writer.random.random() < 0.3:
                vfs.fail_always(fault, ("sync",))
                writer.commit()
                vfs.heal()
                writer.send([])
            writer.commit()
        world.recorder.close()
    checkpoints = [note for note in vfs.notes if note.name == "farebox.db"]
    assert len(checkpoints) > 20, "a run without checkpoints proves little"
    return Run(contents, list(vfs.notes))


def cut_power(folder: Path, told: Run, *, images: int, seed: int) -> Loss:
    """Play the notes back, and look at the databases that power cuts leave."""
    rng = random.Random(seed)
    changes = [n for n, note in enumerate(told.notes) if note.kind != "mark"]
    cuts = sorted(rng.choices(range(len(changes) + 1), k=images))
    cuts = [changes[c] if c < len(changes) else len(told.notes) for c in cuts]
    disk = Disk(told.contents)
    acknowledged: set[bytes] = set()
    lost = at = 0
    broken = []
    for cut in cuts:
        for note in told.notes[at:cut]:
            disk.play(note)
            if isinstance(note.mark, list):
                acknowledged.update(note.mark)
        at = cut
        files = disk.after_power_cut(rng)
        found, wrong = look(folder, files, is_audited=rng.randrange(AUDITED) == 0)
        lost += not wrong and not acknowledged <= found
        if wrong:
            broken.append(f"cut {cut}: {wrong}")
    return Loss(images, lost, broken)


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Have these files in a folder, and no others."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def look(
    folder: Path, files: dict[str, bytes], *, is_audited: bool
) -> tuple[set[bytes], list[str]]:
    """The identities in a database, and what is wrong with it."""
    lay_out(folder, files)
    try:
        db = apsw.Connection(str(folder / "farebox.db"))
        db.pragma("synchronous", "off")
        wrong = differences(db)
        if is_audited and not wrong:
            wrong = [str(found) for found in run_audit(SqliteDatabase(db)).differences]
        found = [identity for (identity,) in db.execute("select identity from identities")]
        db.close(force=True)
    except (apsw.Error, StoreFaultError) as error:
        return set(), [f"{type(error).__name__}: {error}"]
    return set(found), wrong


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where the run is, and where its images are looked at."""
    made = (tmp_path / "run", tmp_path / "image")
    for folder in made:
        folder.mkdir()
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_loses_nothing_acknowledged(
    seed: int, folders: tuple[Path, Path], populated: Populated, vfs: FaultyVfs
) -> None:
    told = run(folders[0], populated, vfs, seed=seed)
    assert cut_power(folders[1], told, images=IMAGES, seed=seed) == Loss(IMAGES, 0, [])


def test_the_rig_sees_what_a_weaker_sync_loses(
    folders: tuple[Path, Path], populated: Populated, vfs: FaultyVfs
) -> None:
    told = run(folders[0], populated, vfs, seed=0, synchronous="normal")
    found = cut_power(folders[1], told, images=200, seed=0)
    assert found.lost > 0
    assert not found.broken


def test_the_rig_sees_what_no_sync_breaks(
    folders: tuple[Path, Path], populated: Populated, vfs: FaultyVfs
) -> None:
    told = run(folders[0], populated, vfs, seed=0, synchronous="off")
    assert cut_power(folders[1], told, images=200, seed=0).broken


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", [SYNC_LOST, DEAD], ids=["sync lost", "killed before the sync"])
def test_what_follows_a_failed_sync_is_as_durable_as_ever(
    fault: Fault,
    seed: int,
    folders: tuple[Path, Path],
    populated: Populated,
    vfs: FaultyVfs,
) -> None:
    """A retry finds its rows in the file system's memory: that must not be taken for the disk."""
    told = run(folders[0], populated, vfs, seed=seed, fault=fault)
    assert cut_power(folders[1], told, images=IMAGES, seed=seed) == Loss(IMAGES, 0, [])


def test_a_power_cut_while_the_schema_is_made_leaves_what_can_be_made_anew(
    folders: tuple[Path, Path], vfs: FaultyVfs
) -> None:
    database = open_writer(folders[0] / "farebox.db", vfs=vfs.vfs)
    migrate(database)
    database.close()
    rng = random.Random(0)
    disk = Disk({})
    made = 0
    for note in vfs.notes:
        disk.play(note)
        for _ in range(2):
            lay_out(folders[1], disk.after_power_cut(rng))
            again = open_writer(folders[1] / "farebox.db")
            again.connection.pragma("synchronous", "off")
            made += bool(migrate(again))
            assert not differences(again.connection)
            assert again.integer("commits_last") == 0
            again.close()
    assert 0 < made < 2 * len(vfs.notes), "some cuts come before the schema is there, some after"
