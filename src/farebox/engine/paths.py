"""Where the recorder of a database is met: its lock file and its socket; and what lies beside.

They lie beside a place, a path. That of SQLite is the database itself, whatever link or relative
path it was called by: who has the same file meets the same recorder. That of PostgreSQL is a name
in the runtime folder, made of the URL without its password: who has the same folder and URL meets
the same recorder. A Unix socket's address has about 100 bytes; a longer path is reached through a
descriptor of its folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farebox.store.contract import StoreFaultError
from farebox.store.database import Database

ADDRESS_BYTES_MAX = 100
# A longer name is replaced by its digest, so that it fits behind the folder's descriptor.
NAME_BYTES_MAX = 64
FOLDER_MODE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def place_of(database: Database, runtime_dir: Path) -> Path:
    """Where the recorder of a database is met. A runtime folder that is needed is made.

    Raises:
        StoreFaultError: the runtime folder can't be made, or others could write to it.
    """
    if database.is_file:
        return database.path
    _have_folder(runtime_dir)
    return runtime_dir / f"postgresql-{hashlib.sha256(str(database).encode()).hexdigest()[:16]}"


def lock_path(place: Path) -> Path:
    """The file whose lock makes a process the recorder."""
    return _beside(place, ".lock")


def socket_path(place: Path) -> Path:
    """The recorder's socket; to be bound and connected to by its `address`."""
    return _beside(place, ".sock")


def node_path(place: Path) -> Path:
    """The file that tells which node the recorder is, where others write too."""
    return _beside(place, ".node")


def secret_path(place: Path) -> Path:
    """The file of the program's secret, where no setting gives one."""
    return _beside(place, ".secret")


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A name of a socket's path that is short enough, good inside the `with`."""
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _have_folder(folder: Path) -> None:
    """Whoever could write there could be taken for the recorder, and be sent every record."""
    try:
        folder.mkdir(FOLDER_MODE, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        message = (
            f"the runtime folder {folder} can't be made: {error.strerror}; "
            "FAREBOX_RUNTIME_DIR names another one"
        )
        raise StoreFaultError(message) from error
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_mode & _OTHERS_WRITE:
        message = (
            f"the runtime folder {folder} must be a folder of this user's, that nobody else can "
            "write to; FAREBOX_RUNTIME_DIR names another one"
        )
        raise StoreFaultError(message)


def _beside(place: Path, suffix: str) -> Path:
    file = place.resolve()
    name = file.name + suffix
    if len(os.fsencode(name)) > NAME_BYTES_MAX:
        name = hashlib.sha256(os.fsencode(file.name)).hexdigest()[:32] + suffix
    return file.with_name(name)
