"""Beginning anew: what a database has to know when it is not the one that its processes knew.

Whatever a process had drawn beforehand, it drew from another database: nothing of it may count
here. All leases are over, and long so: the recorder takes back what they had of credits, and
windows close by themselves. Nobody may be using the database meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from farebox.engine.clock import SteadyClock
from farebox.engine.paths import lock_path
from farebox.service.forms.copy import RestoredData
from farebox.store.contract import Locks, Writer
from farebox.store.database import Database

# A node renews four times a second, and is given up after two.
SILENCE_SECONDS = 2.5
STOP_FIRST = "stop the server and whatever else uses it, then try again"


class InUseError(Exception):
    """Somebody is using the database; the message names it and says what would help."""

    def __init__(self, database: object) -> None:
        super().__init__(f"{database} is being served; {STOP_FIRST}")


@contextmanager
def alone(place: Path, database: object) -> Iterator[None]:
    """Keep this machine's recorders away: the lock of their place is held until the end.

    Raises:
        InUseError: there is one.
    """
    lock = os.open(lock_path(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUseError(database) from error
        yield
    finally:
        os.close(lock)


def _check_silence(database: Database) -> None:
    """Other machines' recorders hold no lock here, but they renew."""
    before = database.renewals()
    if before:
        time.sleep(SILENCE_SECONDS)
        if database.renewals() != before:
            raise InUseError(database)


def begin_anew(writer: Writer, action: str, ref: str) -> int:
    """End all leases, in the open transaction, and note who did; how many there were."""
    ended = writer.execute("leases_end_all")
    writer.execute(
        "changes_insert",
        at_ms=SteadyClock(writer.integer("clock_high_water")).now_ms(),
        actor=action,
        action=action,
        kind="database",
        ref=ref,
        profile_id=None,
        detail="{}",
    )
    return ended


def update_schema(database: Database, place: Path, *, is_last: bool) -> list[str]:
    """Bring a schema up to date; the names of the steps taken.

    `is_last` takes the steps that end the work of older programs, too. A server's database may be
    served meanwhile.

    Raises:
        InUseError: a file is being served.
        StoreFaultError: it can't be opened, or belongs to something else.
    """
    if not database.is_file:
        return database.prepare(is_last=is_last)
    with alone(place, database):
        return database.prepare(is_last=is_last)


def finish_restore(database: Database, place: Path) -> RestoredData:
    """Make a database ready that was restored by other means than ours. Again, it does no harm.

    Raises:
        InUseError: it is being served.
        StoreFaultError: it can't be opened, or belongs to something else.
    """
    with alone(place, database):
        steps = database.prepare()
        _check_silence(database)
        with closing(database.open_writer()) as writer:
            writer.begin(Locks(is_alone=True))
            try:
                ended = begin_anew(writer, "restored", str(database))
                writer.commit()
            except BaseException:
                writer.rollback()
                raise
    return RestoredData(str(database), len(steps), ended)
