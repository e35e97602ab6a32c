"""`farebox backup` and `farebox restore`: the whole database in one file, and back.

A server's database is backed up and restored by its own means; `farebox restored` comes after.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farebox.cli.audit import show_audit
from farebox.cli.failure import CliError
from farebox.cli.output import AsJson, note, show
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.backup import CopyRefusedError, back_up
from farebox.service.begin_anew import InUseError, finish_restore
from farebox.service.restore import BooksDifferError
from farebox.service.restore import restore as put_back

BACKUP_INSTEAD = (
    "back it up by PostgreSQL's own means, pg_basebackup with its archive of the log, or pg_dump"
)
RESTORE_INSTEAD = (
    "restore it by PostgreSQL's own means while no Farebox runs, then run `farebox restored` "
    "before the first one starts"
)

Target = Annotated[Path, typer.Argument(help="The file to write.", show_default=False)]
Source = Annotated[Path, typer.Argument(help="The backup.", show_default=False)]


def backup(
    target: Target,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write a copy of the database while it is being served."""
    session = Session(database)
    path = session.file(BACKUP_INSTEAD)
    session.existing()
    try:
        show(back_up(path, target, force=force), as_json=as_json)
    except CopyRefusedError as error:
        raise CliError(str(error)) from error


def restore(
    source: Source,
    *,
    force: Annotated[
        bool,
        typer.Option("--force", help="Take the place of a database, which is kept beside it."),
    ] = False,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Restore a backup only if its books agree.")
    ] = True,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database. Stop the server first."""
    path = Session(database).file(RESTORE_INSTEAD)
    try:
        restored = put_back(path, source, force=force, audit=audit)
    except CopyRefusedError as error:
        raise CliError(str(error)) from error
    except BooksDifferError as error:
        show_audit(error.result, as_json=as_json)
        raise CliError(str(error)) from error
    show(restored, as_json=as_json)
    if restored.kept_as is not None:
        note(f"The former database is kept as {restored.kept_as}.")


def restored(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """Make a database ready that was restored by other means, before the first server starts.

    It brings the schema up to date and ends what processes had drawn of the database as it was.
    PostgreSQL needs it after every restore of pg_basebackup, of a point in time or of pg_dump. Run
    again, it does no harm.
    """
    session = Session(database)
    session.existing()
    try:
        show(finish_restore(session.database, session.place()), as_json=as_json)
    except InUseError as error:
        raise CliError(str(error)) from error
