"""`farebox migrate`: the schema of a database, or the whole of it to a PostgreSQL server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from farebox.cli.audit import show_audit
from farebox.cli.failure import CliError
from farebox.cli.output import AsJson, note, show
from farebox.cli.session import DATABASE_DEFAULT, Database, Session, check_url
from farebox.engine.paths import secret_path
from farebox.service.begin_anew import InUseError, update_schema
from farebox.service.forms.copy import MigratedData
from farebox.service.move import MoveRefusedError, OnProgress
from farebox.service.move import move as move_over
from farebox.settings import process_environment

To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        callback=check_url,
        help="Copy a file's database into a new one of PostgreSQL, postgresql://USER@HOST/NAME, "
        "with its password in PGPASSWORD or PGPASSFILE. Stop the server first.",
        show_default=False,
    ),
]
Finish = Annotated[
    bool,
    typer.Option(
        "--finish", help="Also take away what older programs needed, once all have ended."
    ),
]


def migrate(
    *,
    to: To = None,
    finish: Finish = False,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring the schema of a database up to date, or move the database to PostgreSQL.

    Newer programs bring the schema up to date when they start, and older ones go on beside them;
    when the last of those has ended, --finish completes it.

    A move audits both sides and leaves the file as it is. One that breaks off leaves the new
    database empty.
    """
    session = Session(database)
    session.existing()
    try:
        if to is None:
            steps = update_schema(session.database, session.place(), is_last=finish)
            show(MigratedData(str(session.database), steps), as_json=as_json)
        else:
            _move(session, Session(to), as_json=as_json)
    except InUseError as error:
        raise CliError(str(error)) from error


def _move(source: Session, target: Session, *, as_json: bool) -> None:
    path = source.file("only the database of a file can move")
    if target.database.is_file:
        message = f"--to must be a PostgreSQL database; {target.database} is a file"
        raise CliError(message)
    try:
        with _bar() as on_progress:
            moved = move_over(source.database, target.database, on_progress)
    except MoveRefusedError as error:
        if error.result is not None:
            show_audit(error.result, as_json=as_json)
        raise CliError(str(error)) from error
    show(moved, as_json=as_json)
    secret = secret_path(path)
    if secret.exists() and not process_environment().get("FAREBOX_SECRET"):
        note(
            f"Set FAREBOX_SECRET to what {secret} holds: reservations, links and webhooks "
            "were made with it."
        )
    note(f"{path} is as it was. From here on, serve {target.database} alone.")


@contextmanager
def _bar() -> Iterator[OnProgress]:
    """A progress bar on a terminal, and nothing in a pipe."""
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)

        def on_progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield on_progress
