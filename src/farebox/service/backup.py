"""Backup: a copy of the whole database in one file, taken while everything goes on.

The copy is one snapshot: it holds all that was acknowledged before the backup began. It is written
beside its target, read again, synced, and only then given its name: a file of that name is always
a whole backup. An existing file is left alone unless it may be replaced.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farebox.core.instant import to_iso_ms
from farebox.engine.paths import lock_path, socket_path
from farebox.service.forms.copy import BackupData
from farebox.store.sqlite.copy import SIDE_SUFFIXES, check_copy, copy_database

PARTIAL_SUFFIX = ".partial"
_PRIVATE_MODE = 0o600
_NS_PER_MS = 1_000_000


class CopyRefusedError(Exception):
    """A backup or a restore is not done; the message says why and what would help."""


def back_up(database: Path, target: Path, *, force: bool = False) -> BackupData:
    """Write a backup of a database; `force` replaces an existing file.

    Raises:
        CopyRefusedError: it can't be written there.
        StoreFaultError: the database can't be read, the copy isn't sound, or the disk is full.
    """
    began_ns = time.monotonic_ns()
    _check_target(database, target, force=force)
    partial = target.with_name(target.name + PARTIAL_SUFFIX)
    with own_file(partial) as file:
        copy_database(database, partial)
        copied = check_copy(partial)
        if copied.problem:
            message = f"the copy can't be used: {copied.problem}"
            raise CopyRefusedError(message)
        os.fsync(file)
        size_bytes = os.fstat(file).st_size
        put_in_place(partial, target, force=force)
    newest = copied.newest
    return BackupData(
        str(target),
        size_bytes,
        0 if newest is None else newest.commit_id,
        None if newest is None else to_iso_ms(newest.at_ms),
        (time.monotonic_ns() - began_ns) // _NS_PER_MS,
    )


@contextmanager
def own_file(path: Path) -> Iterator[int]:
    """An empty file that nobody else is writing, as a descriptor; removed if the work fails.

    Raises:
        CopyRefusedError: another process is writing it, or nothing can be written there.
    """
    try:
        descriptor = _locked(path)
    except BlockingIOError as error:
        message = f"{path} is being written by another process"
        raise CopyRefusedError(message) from error
    except OSError as error:
        message = f"{path} can't be written: {error.strerror}"
        raise CopyRefusedError(message) from error
    try:
        for beside in beside_database(path):
            beside.unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        yield descriptor
    except BaseException:
        for left in (path, *beside_database(path)):
            left.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def put_in_place(made: Path, target: Path, *, force: bool) -> None:
    """Give a file its name, durably; without `force` never that of another file.

    Raises:
        CopyRefusedError: there is such a file by now.
    """
    if force:
        made.replace(target)
    else:
        try:
            target.hardlink_to(made)
        except FileExistsError as error:
            raise _exists(target) from error
        except OSError:  # a file system without links
            if target.exists():
                raise _exists(target) from None
            made.rename(target)
        else:
            made.unlink()
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside_database(path: Path) -> list[Path]:
    """What SQLite may keep beside a database."""
    return [path.with_name(path.name + suffix) for suffix in SIDE_SUFFIXES]


def _check_target(database: Path, target: Path, *, force: bool) -> None:
    own = {path.resolve() for path in (database, *beside_database(database))}
    if target.resolve() in {*own, lock_path(database), socket_path(database)}:
        message = f"{target} belongs to the database itself; name another file"
        raise CopyRefusedError(message)
    if target.is_dir():
        message = f"{target} is a folder; name a file"
        raise CopyRefusedError(message)
    if not target.parent.is_dir():
        message = f"there is no folder {target.parent}"
        raise CopyRefusedError(message)
    if target.exists() and not force:
        raise _exists(target)


def _locked(path: Path) -> int:
    """A file with a lock on it. One that has got its name meanwhile is no longer ours to write."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _exists(target: Path) -> CopyRefusedError:
    return CopyRefusedError(f"{target} exists already; --force replaces it")
