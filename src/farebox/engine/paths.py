"""Where the recorder of a database is met: its lock file and its socket.

Both lie beside the database. A Unix socket's path has about 100 bytes; for a longer one the socket
lies in a private folder under the system's temporary one, named for the database's path.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

SOCKET_PATH_BYTES_MAX = 100


def lock_path(database: Path) -> Path:
    """The file whose lock makes a process the recorder."""
    return database.with_name(database.name + ".lock")


def socket_path(database: Path) -> Path:
    """The recorder's socket."""
    beside = database.resolve().with_name(database.name + ".sock")
    if len(os.fsencode(beside)) <= SOCKET_PATH_BYTES_MAX:
        return beside
    digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"farebox-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{digest}.sock"
