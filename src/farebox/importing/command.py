"""The command `farebox import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from farebox.cli.failure import FAILED
from farebox.cli.output import AsJson, show
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.importers.formats import AUTO, FORMATS
from farebox.importers.mapping_file import read_mapping
from farebox.importing.run import Counts, Import
from farebox.settings import process_environment, read_settings

File = Annotated[
    str, typer.Argument(metavar="FILE", help="The log, plain or gzip; - reads a pipe.")
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="A TOML file that says where the key, the log type and the rest are.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]
Format = Annotated[
    str, typer.Option("--format", help=f"One of {', '.join((AUTO, *FORMATS))}.", metavar="NAME")
]
KeyId = Annotated[
    str | None,
    typer.Option("--key-id", help="The API key of all lines, by its id.", show_default=False),
]


class ImportAnswer(msgspec.Struct, frozen=True):
    """What an import came to, in lines."""

    file: str
    format: str | None
    accepted: int
    duplicates: int
    conflicts: int
    refused: int
    skipped: int
    seconds: float


def import_log(
    file: File,
    *,
    mapping: MappingFile = None,
    format_name: Format = AUTO,
    key_id: KeyId = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Record the requests of a web server's access log; again, it counts nothing twice."""
    session = Session(database)
    settings = read_settings(process_environment(), {"database": database})
    overrides: dict[str, object] = {}
    if format_name != AUTO:
        overrides["format"] = format_name
    if key_id is not None:
        overrides["key_id"] = {"value": key_id}
    chosen = read_mapping(
        "" if mapping is None else mapping.read_text("utf-8"), settings.key_headers, overrides
    )
    with _bar() as bar:
        task = bar.add_task(file, total=None)

        def on_progress(read_bytes: int, size_bytes: int | None) -> None:
            bar.update(task, completed=read_bytes, total=size_bytes)

        counts = Import(session.path, chosen, on_progress).run(file)
    _report(counts, as_json=as_json)


def _report(counts: Counts, *, as_json: bool) -> None:
    refused = counts.refusals.total - counts.conflicts
    show(
        ImportAnswer(
            counts.file,
            counts.format,
            counts.accepted,
            counts.duplicates,
            counts.conflicts,
            refused,
            counts.skipped,
            round(counts.seconds, 2),
        ),
        as_json=as_json,
    )
    if counts.refusals.total:
        sys.stderr.write(counts.refusals.to_text(counts.file) + "\n")
    if refused and not counts.accepted + counts.duplicates + counts.skipped:
        raise typer.Exit(FAILED)


def _bar() -> Progress:
    """A progress bar on a terminal, and nothing in a pipe."""
    return Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def add_import(app: typer.Typer) -> None:
    """Add the command to the whole."""
    app.command("import")(import_log)
