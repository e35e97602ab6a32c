"""Migrations of an SQLite file; `store.migration` has their rules.

The file's `user_version` is the number of the last step, too, for whoever looks at it from outside.
"""

from __future__ import annotations

from pathlib import Path

from farebox.store.contract import StoreFaultError
from farebox.store.migration import (
    EMPTY,
    Migration,
    Phase,
    SchemaState,
    after,
    newer_than,
    next_step,
    older_than,
    read_migrations,
    unfinishable,
)
from farebox.store.sqlite.database import SqliteDatabase

FOLDER = Path(__file__).parent / "migrations"
# "Fare", so that `file` and a wrong path are recognised.
APPLICATION_ID = 0x46617265


def all_migrations() -> list[Migration]:
    """The steps this program knows, ascending."""
    return read_migrations(FOLDER)


def schema_state(database: SqliteDatabase) -> SchemaState:
    """Where the schema stands.

    Raises:
        StoreFaultError: the file holds something else.
    """
    if database.number("application_id") == APPLICATION_ID:
        if database.value("schema_is_kept"):
            state = database.one("schema_state_get", SchemaState)
            if state is not None:
                return state
    elif database.number("user_version") == 0 and not database.integer("schema_objects"):
        return EMPTY
    message = "the file is an SQLite database, but not one of Farebox"
    raise StoreFaultError(message)


def schema_version(database: SqliteDatabase) -> int:
    """The number of the last migration applied; 0 for a new file."""
    return schema_state(database).version


def migrate(database: SqliteDatabase, phase: Phase = "pre") -> list[str]:
    """Bring the schema up to date; the names of the steps applied.

    A new file gets the post steps, too: no older program works there.

    Raises:
        StoreFaultError: the database belongs to a newer Farebox, or to something else.
    """
    steps = all_migrations()
    known = steps[-1].number
    state = schema_state(database)
    phase = "post" if state == EMPTY else phase
    complaint = newer_than(state, known) or (phase == "post" and unfinishable(state, known))
    if complaint:
        raise StoreFaultError(complaint)
    # From here on the file is ours to change.
    database.keep_log()
    applied = []
    while step := next_step(state, steps, phase):
        state = after(state, step)
        database.begin()
        try:
            database.script(step.sql)
            database.execute("schema_state_put", **state._asdict())
            database.number("user_version", state.version)
            database.number("application_id", APPLICATION_ID)
            database.commit()
        except BaseException:
            database.rollback()
            raise
        applied.append(step.name)
    return applied


def check_schema(database: SqliteDatabase) -> None:
    """For who only reads, and can't migrate.

    Raises:
        StoreFaultError: the database is not of this Farebox; the message says what would help.
    """
    known = all_migrations()[-1].number
    state = schema_state(database)
    complaint = newer_than(state, known) or older_than(state, known)
    if complaint:
        raise StoreFaultError(complaint)
