"""An interrupted import goes on where it was, on proof alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.importers.progress import START, Progress
from tests.importers.logs import APACHE, read

TOML = 'key_id.value = "key_a"'
CONTENT = b"".join(APACHE.replace(b"2326", b"%d" % size) + b"\n" for size in range(6_000))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(CONTENT)
    return path


def saved(log: Path, folder: Path) -> Progress:
    """Progress after the second batch."""
    progress = Progress(folder, log, "m", "t")
    progress.save(read(log, TOML)[1].checkpoint)
    return progress


def test_progress_starts_at_the_start(log: Path, tmp_path: Path) -> None:
    assert Progress(tmp_path, log, "m", "t").load() == START


def test_a_saved_checkpoint_is_found_again(log: Path, tmp_path: Path) -> None:
    saved(log, tmp_path)
    checkpoint = Progress(tmp_path, log, "m", "t").load()
    assert checkpoint == read(log, TOML)[1].checkpoint
    assert 0 < checkpoint.lines < 6_000


def test_a_renamed_packed_or_grown_log_goes_on_where_it_was(log: Path, tmp_path: Path) -> None:
    checkpoint = saved(log, tmp_path).load()
    packed, grown = tmp_path / "access.log.1.gz", tmp_path / "grown"
    packed.write_bytes(gzip.compress(CONTENT))
    grown.write_bytes(CONTENT + APACHE)
    for path in (packed, grown):
        assert Progress(tmp_path, path, "m", "t").load() == checkpoint


def test_another_mapping_or_target_begins_anew(log: Path, tmp_path: Path) -> None:
    saved(log, tmp_path)
    assert Progress(tmp_path, log, "other", "t").load() == START
    assert Progress(tmp_path, log, "m", "other").load() == START


def test_a_log_that_only_begins_the_same_begins_anew(log: Path, tmp_path: Path) -> None:
    end_bytes = saved(log, tmp_path).load().end_bytes
    changed = bytearray(CONTENT)
    changed[end_bytes - 2] ^= 1
    log.write_bytes(changed)
    assert Progress(tmp_path, log, "m", "t").load() == START
    log.write_bytes(CONTENT[: end_bytes - 1])
    assert Progress(tmp_path, log, "m", "t").load() == START


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lines": "x"}', '{"lines": 3}'])
def test_a_spoilt_state_file_begins_anew(text: str, log: Path, tmp_path: Path) -> None:
    progress = saved(log, tmp_path)
    progress.path.write_text(text)
    assert progress.load() == START


def test_a_log_that_can_t_be_read_any_more_begins_anew(log: Path, tmp_path: Path) -> None:
    progress = saved(log, tmp_path)
    log.write_bytes(gzip.compress(CONTENT)[:200])
    assert progress.load() == START
    log.unlink()
    assert progress.load() == START
    with pytest.raises(FareboxError, match="'file' must be"):
        Progress(tmp_path, log, "m", "t")


def test_a_complete_import_leaves_nothing_behind(log: Path, tmp_path: Path) -> None:
    progress = saved(log, tmp_path)
    progress.clear()
    progress.clear()
    assert list(tmp_path.iterdir()) == [log]


def test_the_state_file_says_nothing_of_the_lines(log: Path, tmp_path: Path) -> None:
    state = saved(log, tmp_path).path
    assert set(tmp_path.iterdir()) == {log, state}
    assert b"key_a" not in state.read_bytes()
    assert "access" not in state.name
