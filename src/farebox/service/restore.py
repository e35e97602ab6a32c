"""Restore: a backup takes the place of the database; the former one is kept beside it.

Nobody may be using the database meanwhile: the recorder's lock is held throughout. The backup is
copied, brought to this program's schema and audited before it takes the place, so a bad one changes
nothing. The switch is one rename: at every moment there is one whole database or the other.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from farebox.core.instant import to_iso_ms
from farebox.service.audit import AuditResult, run_audit
from farebox.service.backup import (
    CopyRefusedError,
    beside_database,
    own_file,
    sync_folder,
)
from farebox.service.begin_anew import STOP_FIRST, InUseError, alone, begin_anew
from farebox.service.forms.copy import RestoreData
from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.copy import LOG_SUFFIX, check_copy, close_up, copy_database
from farebox.store.sqlite.database import open_writer
from farebox.store.sqlite.migrate import migrate

RESTORING_SUFFIX = ".restoring"
KEPT_SUFFIX = ".before-restore"
# What `farebox import` keeps beside a database: how far its logs were acknowledged.
PROGRESS_SUFFIX = ".imports"
ACTOR = "restore"
_NS_PER_MS = 1_000_000


class BooksDifferError(Exception):
    """The backup's own books differ, so it was not restored."""

    def __init__(self, result: AuditResult) -> None:
        self.result = result
        super().__init__("the books of the backup differ; --no-audit restores it all the same")


def restore(
    database: Path, source: Path, *, force: bool = False, audit: bool = True
) -> RestoreData:
    """Put a backup in the place of a database, or where none is yet.

    `force` lets it take the place of an existing one, which is kept under another name.

    Raises:
        CopyRefusedError: the backup or the place won't do, or the database is in use.
        BooksDifferError: the backup's books differ. The database is as it was.
        StoreFaultError: the backup can't be read, or the disk is full.
    """
    began_ns = time.monotonic_ns()
    database, source = database.resolve(), source.resolve()
    _check_places(database, source, force=force)
    with _unused(database), own_file(database.with_name(database.name + RESTORING_SUFFIX)) as file:
        made = database.with_name(database.name + RESTORING_SUFFIX)
        is_at_rest = not source.with_name(source.name + LOG_SUFFIX).exists()
        copy_database(source, made, is_at_rest=is_at_rest)
        copied = check_copy(made)
        if copied.problem:
            message = f"{source} can't be restored: {copied.problem}"
            raise CopyRefusedError(message)
        requests = _make_ready(made, source, audit=audit)
        os.fsync(file)
        kept = _take_place(made, database)
    newest = copied.newest
    return RestoreData(
        str(database),
        None if kept is None else str(kept),
        0 if newest is None else newest.commit_id,
        None if newest is None else to_iso_ms(newest.at_ms),
        requests,
        (time.monotonic_ns() - began_ns) // _NS_PER_MS,
    )


@contextmanager
def _unused(database: Path) -> Iterator[None]:
    try:
        with alone(database, database):
            yield
    except InUseError as error:
        raise CopyRefusedError(str(error)) from error


def _check_places(database: Path, source: Path, *, force: bool) -> None:
    if not source.is_file():
        message = f"there is no file {source}"
        raise CopyRefusedError(message)
    if not database.parent.is_dir():
        message = f"there is no folder {database.parent}"
        raise CopyRefusedError(message)
    if database.exists():
        if database.samefile(source):
            message = f"{source} is the database itself"
            raise CopyRefusedError(message)
        if not force:
            message = f"{database} exists already; --force keeps it under another name"
            raise CopyRefusedError(message)


def _make_ready(made: Path, source: Path, *, audit: bool) -> int | None:
    """Bring a copy up to date and to the present; the log rows that were audited."""
    writer = open_writer(made)
    try:
        migrate(writer)
        result = run_audit(writer) if audit else None
        if result is not None and not result.agrees:
            raise BooksDifferError(result)
        writer.begin()
        begin_anew(writer, ACTOR, source.name)
        writer.commit()
    finally:
        writer.close()
    if any(beside.exists() for beside in beside_database(made)):
        message = "the copy is open elsewhere, or its log could not be put into it"
        raise StoreFaultError(message)
    return None if result is None else result.requests


def _take_place(made: Path, database: Path) -> Path | None:
    """Switch; the former database's new name, if there was one.

    What stands beside the former goes first: a log that is found beside a database is replayed
    into it, whosever it was.
    """
    kept = _free_name(database)
    is_former = database.exists()
    _keep_log(database, kept)
    if is_former:
        _take_owner(made, database)
    for beside in beside_database(database):
        beside.unlink(missing_ok=True)
    # What was acknowledged to an import may be missing now: it has to begin anew.
    shutil.rmtree(database.with_name(database.name + PROGRESS_SUFFIX), ignore_errors=True)
    if is_former:
        try:
            kept.hardlink_to(database)
        except OSError:  # a file system without links: for a moment there is no database
            database.rename(kept)
    made.replace(database)
    sync_folder(database.parent)
    return kept if is_former else None


def _keep_log(database: Path, kept: Path) -> None:
    """Have all of the former database in its file; where that is damaged, keep the log with it."""
    log, kept_log = (path.with_name(path.name + LOG_SUFFIX) for path in (database, kept))
    if log.exists():
        shutil.copyfile(log, kept_log)
    if not database.exists():
        return
    try:
        is_closed = close_up(database)
    except StoreFaultError:
        return
    kept_log.unlink(missing_ok=True)
    if not is_closed:
        message = f"{database} is open elsewhere; {STOP_FIRST}"
        raise CopyRefusedError(message)


def _take_owner(made: Path, database: Path) -> None:
    """The new file belongs to whom the former did, as far as we may say so."""
    former = database.stat()
    made.chmod(former.st_mode)
    with suppress(PermissionError):
        os.chown(made, former.st_uid, former.st_gid)


def _free_name(database: Path) -> Path:
    """The first name that no earlier restore has taken."""
    for number in count(1):
        suffix = KEPT_SUFFIX if number == 1 else f"{KEPT_SUFFIX}-{number}"
        name = database.with_name(database.name + suffix)
        if not any(path.exists() for path in (name, *beside_database(name))):
            return name
    raise AssertionError  # the numbers don't end
