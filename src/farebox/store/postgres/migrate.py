"""Migrations of a PostgreSQL database; `store.migration` has their rules.

However many nodes start at once, one takes each step while the others wait for it.
"""

from __future__ import annotations

from functools import lru_cache
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
from farebox.store.postgres.database import PostgresDatabase

FOLDER = Path(__file__).parent / "migrations"


@lru_cache(maxsize=1)
def all_migrations() -> list[Migration]:
    """The steps this program knows, ascending."""
    return read_migrations(FOLDER)


def schema_state(database: PostgresDatabase) -> SchemaState:
    """Where the schema stands.

    Raises:
        StoreFaultError: the database holds something else.
    """
    # Counted first: what another node makes meanwhile is not taken for something else.
    objects = database.integer("schema_objects")
    if database.value("schema_is_kept"):
        state = database.one("schema_state_get", SchemaState)
        if state is not None:
            return state
    if objects:
        message = "the PostgreSQL database is not empty, and not one of Farebox"
        raise StoreFaultError(message)
    return EMPTY


def schema_version(database: PostgresDatabase) -> int:
    """The number of the last migration applied; 0 for a new database."""
    return schema_state(database).version


def migrate(database: PostgresDatabase, phase: Phase = "pre") -> list[str]:
    """Bring the schema up to date; the names of the steps applied.

    A new database gets the post steps, too: no older program works there.

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
    applied = []
    with database.patience():
        while next_step(state, steps, phase):
            database.begin_migration()
            try:
                # Another node may have been faster.
                state = schema_state(database)
                step = next_step(state, steps, phase)
                if step is not None:
                    database.script(step.sql)
                    state = after(state, step)
                    database.send("schema_state_put", **state._asdict())
                    applied.append(step.name)
                database.commit()
            except BaseException:
                database.rollback()
                raise
    return applied


def check_schema(database: PostgresDatabase) -> None:
    """For who only reads, and can't migrate.

    Raises:
        StoreFaultError: the database is not of this Farebox; the message says what would help.
    """
    known = all_migrations()[-1].number
    state = schema_state(database)
    complaint = newer_than(state, known) or older_than(state, known)
    if complaint:
        raise StoreFaultError(complaint)
