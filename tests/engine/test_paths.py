"""Paths: whoever has the same file meets the same recorder, whatever he calls it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from farebox.core.database_url import read_database_url
from farebox.engine.paths import ADDRESS_BYTES_MAX, address, lock_path, place_of, socket_path
from farebox.store.contract import StoreFaultError
from farebox.store.database import Database, file_database

LONGEST_ADDRESS_BYTES = 107  # Linux; the last byte of 108 is a zero


def deep(folder: Path) -> Path:
    """A folder whose path is longer than a socket's address."""
    made = folder / ("d" * 90) / ("e" * 90)
    made.mkdir(parents=True)
    return made


def test_they_lie_beside_the_database(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    assert lock_path(database) == tmp_path / "farebox.db.lock"
    assert socket_path(database) == tmp_path / "farebox.db.sock"


def test_links_and_relative_paths_lead_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "real" / "farebox.db"
    database.parent.mkdir()
    database.touch()
    (tmp_path / "folder").symlink_to(database.parent)
    (tmp_path / "other.db").symlink_to(database)
    monkeypatch.chdir(database.parent)
    for name in (
        tmp_path / "folder" / "farebox.db",
        tmp_path / "other.db",
        Path("farebox.db"),
        Path("../real/farebox.db"),
    ):
        assert socket_path(name) == socket_path(database)
        assert lock_path(name) == lock_path(database)


@pytest.mark.parametrize("name", ["farebox.db", "f" * 200 + ".db", "ü" * 60 + ".db"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_path_of_any_length_can_be_met_at(tmp_path: Path, name: str, is_deep: bool) -> None:
    path = socket_path((deep(tmp_path) if is_deep else tmp_path) / name)
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX) as caller,
        address(path) as short,
    ):
        assert len(os.fsencode(short)) <= LONGEST_ADDRESS_BYTES
        listener.bind(short)
        listener.listen()
        caller.connect(short)
    assert path.is_socket()


def test_different_long_names_stay_different(tmp_path: Path) -> None:
    names = [f"{'f' * 100}{n}.db" for n in range(3)]
    assert len({socket_path(tmp_path / name) for name in names}) == 3


def test_a_short_path_is_its_own_address() -> None:
    path = Path("/" + "a" * (ADDRESS_BYTES_MAX - 1))
    with address(path) as name:
        assert name == str(path)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_address_leaves_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    with address(deep(tmp_path) / "farebox.db.sock"):
        assert open_files() == before + 1
    assert open_files() == before


def served(text: str) -> Database:
    return Database(read_database_url(text))


def test_the_place_of_a_file_is_the_file_and_needs_no_folder(tmp_path: Path) -> None:
    database, runtime = tmp_path / "farebox.db", tmp_path / "runtime"
    assert place_of(file_database(database), runtime) == database
    assert not runtime.exists()


def test_a_server_s_database_is_met_in_the_runtime_folder_whatever_the_password(
    tmp_path: Path,
) -> None:
    runtime = tmp_path / "runtime"
    urls = ("postgres://u:one@h/d", "postgresql://u:two@h/d", "postgresql://u@h/d")
    (place,) = {place_of(served(url), runtime) for url in urls}
    assert socket_path(place).parent == lock_path(place).parent == runtime
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert place != place_of(served("postgresql://u@h/e"), runtime)
    assert place != place_of(served(urls[0]), tmp_path / "another-machine")


def test_a_runtime_folder_that_others_could_write_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = served("postgresql://h/d")
    shared, link, file = tmp_path / "shared", tmp_path / "link", tmp_path / "file"
    shared.mkdir()
    shared.chmod(0o770)
    link.symlink_to(tmp_path)
    file.touch()
    for folder in (shared, link):
        with pytest.raises(StoreFaultError, match=f"{folder} must be a folder of this user's"):
            place_of(database, folder)
    for folder in (file, tmp_path / "no" / "folder"):
        with pytest.raises(StoreFaultError, match="FAREBOX_RUNTIME_DIR names another one"):
            place_of(database, folder)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StoreFaultError, match="must be a folder of this user's"):
        place_of(database, tmp_path)
