"""The write-ahead log that an earlier connection left: put on the disk before anyone builds on it.

After a kill, or a sync that failed, the log may lie in the system's memory only: SQLite would read
it, a repeat would be answered as a duplicate, and a power cut would then take what was
acknowledged. A failed sync is worse: Linux counts its pages as clean and never writes them again.
So the log is written anew, byte for byte, and synced. No one else may have the database open for
writing.
"""

from __future__ import annotations

from pathlib import Path

import apsw

# SQLite's own files take less than 128 KiB a call.
CHUNK_BYTES = 64 * 1024


def make_durable(database: Path, vfs: str | None) -> None:
    """Put the log of a database on the disk, if there is one.

    Raises:
        apsw.Error: the file system failed.
    """
    database = database.resolve()
    path = database.with_name(database.name + "-wal")
    if not path.exists():
        return
    log = apsw.VFSFile(vfs or "", str(path), [apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_READWRITE, 0])
    try:
        size_bytes = log.xFileSize()
        for offset in range(0, size_bytes, CHUNK_BYTES):
            log.xWrite(log.xRead(min(CHUNK_BYTES, size_bytes - offset), offset), offset)
        log.xSync(apsw.SQLITE_SYNC_FULL)
    finally:
        log.xClose()
