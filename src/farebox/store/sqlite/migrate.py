"""Migrations: numbered SQL files, each applied once, in order, in a transaction of its own.

The database's `user_version` is the number of the last one applied. A database that is newer than
this program is refused, never touched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase

FOLDER = Path(__file__).parent / "migrations"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
# "Fare", so that `file` and a wrong path are recognised.
APPLICATION_ID = 0x46617265


class Migration(NamedTuple):
    """A step of the schema."""

    number: int
    name: str
    sql: str


def all_migrations() -> list[Migration]:
    """The steps this program knows, ascending."""
    found = []
    for path in sorted(FOLDER.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match:
            found.append(Migration(int(match[1]), path.stem, path.read_text("utf-8")))
    return found


def schema_version(database: SqliteDatabase) -> int:
    """The number of the last migration applied; 0 for a new file."""
    return database.number("user_version")


def migrate(database: SqliteDatabase) -> list[str]:
    """Bring the schema up to date; the names of the steps applied.

    Raises:
        StoreFaultError: the database belongs to a newer Farebox, or to something else.
    """
    migrations = all_migrations()
    version = schema_version(database)
    if version or database.integer("schema_objects"):
        _check_ours(database, version, migrations[-1].number)
    # From here on the file is ours to change.
    database.keep_log()
    pending = [migration for migration in migrations if migration.number > version]
    for migration in pending:
        database.begin()
        try:
            database.script(migration.sql)
            database.number("user_version", migration.number)
            database.number("application_id", APPLICATION_ID)
            database.commit()
        except BaseException:
            database.rollback()
            raise
    return [migration.name for migration in pending]


def check_schema(database: SqliteDatabase) -> None:
    """For who only reads, and can't migrate.

    Raises:
        StoreFaultError: the database is not of this Farebox; the message says what would help.
    """
    known = all_migrations()[-1].number
    version = schema_version(database)
    _check_ours(database, version, known)
    if version < known:
        message = (
            f"the database has schema {version}, of an older Farebox; "
            f"`farebox serve` brings it to {known}"
        )
        raise StoreFaultError(message)


def _check_ours(database: SqliteDatabase, version: int, known: int) -> None:
    if database.number("application_id") != APPLICATION_ID:
        message = "the file is an SQLite database, but not one of Farebox"
        raise StoreFaultError(message)
    if version > known:
        message = f"the database has schema {version}, of a newer Farebox; this one knows {known}"
        raise StoreFaultError(message)
