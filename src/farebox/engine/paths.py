"""Where the recorder of a database is met: its lock file and its socket; and the secret's file.

They lie beside the database and are named for the file itself, whatever link or relative path it
was called by: who has the same file meets the same recorder. A Unix socket's address has about 100
bytes; a longer path is reached through a descriptor of its folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS_BYTES_MAX = 100
# A longer name is replaced by its digest, so that it fits behind the folder's descriptor.
NAME_BYTES_MAX = 64


def lock_path(database: Path) -> Path:
    """The file whose lock makes a process the recorder."""
    return _beside(database, ".lock")


def socket_path(database: Path) -> Path:
    """The recorder's socket; to be bound and connected to by its `address`."""
    return _beside(database, ".sock")


def secret_path(database: Path) -> Path:
    """The file of the program's secret, where no setting gives one."""
    return _beside(database, ".secret")


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


def _beside(database: Path, suffix: str) -> Path:
    file = database.resolve()
    name = file.name + suffix
    if len(os.fsencode(name)) > NAME_BYTES_MAX:
        name = hashlib.sha256(os.fsencode(file.name)).hexdigest()[:32] + suffix
    return file.with_name(name)
