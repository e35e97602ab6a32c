"""An import that was interrupted, however it was, goes on: every line is there once."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from farebox.importers.mapping_file import read_mapping
from farebox.importing import command
from farebox.importing import run as importing
from farebox.store.database import file_database
from tests.importing.shop import Counted, Shop, counted
from tests.importing.weblog import KEYED_COMBINED, line_at, log_of, now_ms

LINES = 15_000
KILLED = -signal.SIGKILL
# As `farebox.core.key` takes them over: without a checksum, since it isn't ours.
LATE_KEY = "taken-over-from-elsewhere-000123"


def kill_midway(shop: Shop, log: str, mapping: str, blocks: int) -> None:
    """Run an import that is killed when it has sent so many blocks."""
    module = [sys.executable, "-m", "tests.importing.killed"]
    done = subprocess.run(
        [*module, str(shop.path), log, mapping, str(blocks)], check=False, timeout=100
    )
    assert done.returncode == KILLED


class Die:
    """Kills a process at the given report of progress."""

    def __init__(self, pid: int, blocks: int) -> None:
        self._pid = pid
        self._left = blocks

    def __call__(self, _read_bytes: int, _size_bytes: int | None) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(self._pid, signal.SIGKILL)


@pytest.fixture
def mapping(shop: Shop) -> str:
    return shop.file("mapping.toml", KEYED_COMBINED)


@pytest.fixture
def log(shop: Shop) -> str:
    return shop.file("access.log", log_of("combined", LINES, shop.key))


@pytest.mark.parametrize("blocks", [1, 4, 5, 8])
def test_a_killed_import_goes_on(blocks: int, shop: Shop, log: str, mapping: str) -> None:
    kill_midway(shop, log, mapping, blocks)
    found = counted(shop.json(log, "--mapping", mapping))
    assert found.accepted + found.duplicates + found.skipped == LINES
    assert found.refused == 0
    # With the fifth block sent, the first has been acknowledged.
    assert (found.skipped > 0) == (blocks >= 5)
    shop.check(LINES)


def test_a_killed_import_goes_on_with_the_packed_and_renamed_log(
    shop: Shop, log: str, mapping: str
) -> None:
    kill_midway(shop, log, mapping, 7)
    packed = shop.file("access.log.1", gzip.compress(Path(log).read_bytes()))
    found = counted(shop.json(packed, "--mapping", mapping))
    assert found.skipped > 0
    assert found.accepted + found.duplicates + found.skipped == LINES
    shop.check(LINES)


def test_an_import_that_is_killed_again_and_again_comes_to_its_end(
    shop: Shop, log: str, mapping: str
) -> None:
    for blocks in (7, 6, 8):
        kill_midway(shop, log, mapping, blocks)
    found = counted(shop.json(log, "--mapping", mapping))
    assert found.skipped > 0
    assert found.accepted + found.duplicates + found.skipped == LINES
    shop.check(LINES)


@pytest.mark.parametrize("blocks", [1, 5, 7])
def test_an_import_whose_recorder_is_killed_says_so_and_goes_on(
    blocks: int, shop: Shop, log: str, mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = Die(shop.recorder_pid, blocks)
    real = importing.Import
    with monkeypatch.context() as patch:
        patch.setattr(
            command, "Import", lambda base, place, chosen, _: real(base, place, chosen, dying)
        )
        ran = shop.run(log, "--mapping", mapping)
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("farebox: the import broke off: the recorder went away")
    assert "goes on from there" in ran.err
    shop.stop()
    shop.start()
    found = counted(shop.json(log, "--mapping", mapping))
    assert found.accepted + found.duplicates + found.skipped == LINES
    shop.check(LINES)


def test_a_log_that_grew_after_the_interruption_is_imported_to_its_end(
    shop: Shop, log: str, mapping: str
) -> None:
    kill_midway(shop, log, mapping, 7)
    with Path(log).open("a") as file:
        file.write(line_at(now_ms(), shop.key, "/companies/7") + "\n")
    found = counted(shop.json(log, "--mapping", mapping))
    assert found.accepted + found.duplicates + found.skipped == LINES + 1
    shop.check(LINES + 1)


def unknown_first(shop: Shop, log: str, key: str, count: int) -> str:
    """The log, with lines of another key in front."""
    lines = [line_at(now_ms() - number, key, f"/people/{number}") for number in range(count)]
    return shop.file("mixed.log", "\n".join(lines).encode() + b"\n" + Path(log).read_bytes())


def test_a_line_that_was_refused_is_tried_again_when_the_import_goes_on(
    shop: Shop, log: str, mapping: str
) -> None:
    mixed = unknown_first(shop, log, LATE_KEY, 3)
    kill_midway(shop, mixed, mapping, 8)
    shop.new_key(LATE_KEY)
    found = counted(shop.json(mixed, "--mapping", mapping))
    assert found.refused == 0
    assert found.skipped > 0
    assert found.accepted + found.duplicates + found.skipped == LINES + 3
    shop.check(LINES + 3)


def test_a_line_that_is_refused_again_is_told_again(shop: Shop, log: str, mapping: str) -> None:
    mixed = unknown_first(shop, log, LATE_KEY, 3)
    kill_midway(shop, mixed, mapping, 8)
    answer = shop.json(mixed, "--mapping", mapping)
    found = counted(answer)
    assert found.skipped > 0
    assert found.accepted + found.duplicates + found.skipped == LINES
    assert [(r["reason"], r["first_lines"]) for r in answer["refusals"]] == [
        ("unknown_key", [1, 2, 3])
    ]
    shop.check(LINES)


def test_progress_stays_where_it_is_when_too_many_lines_are_refused(
    shop: Shop, log: str, mapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = unknown_first(shop, log, LATE_KEY, 3)
    monkeypatch.setattr(importing, "AGAIN_MAX", 2)

    def interrupt(read_bytes: int, size_bytes: int | None) -> None:
        if read_bytes == size_bytes:
            raise KeyboardInterrupt

    chosen = read_mapping(KEYED_COMBINED, ())
    with pytest.raises(KeyboardInterrupt):
        importing.Import(file_database(shop.path), shop.path, chosen, interrupt).run(mixed)
    shop.new_key(LATE_KEY)
    found = counted(shop.json(mixed, "--mapping", mapping))
    assert found.skipped == 0
    assert found.duplicates > 0
    assert found.accepted + found.duplicates == LINES + 3
    shop.check(LINES + 3)


def test_an_import_that_is_done_leaves_nothing_beside_the_database(
    shop: Shop, log: str, mapping: str
) -> None:
    before = set(shop.folder.iterdir())
    shop.json(log, "--mapping", mapping)
    assert set(shop.folder.iterdir()) == before
    assert counted(shop.json(log, "--mapping", mapping)) == Counted(duplicates=LINES)


def test_an_import_goes_on_although_its_progress_cant_be_kept(
    shop: Shop, log: str, mapping: str
) -> None:
    shop.file("farebox.db.imports", "in the way")
    assert counted(shop.json(log, "--mapping", mapping)) == Counted(accepted=LINES)
    shop.check(LINES)
