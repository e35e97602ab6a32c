"""The command `farebox import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from farebox.cli.failure import FAILED, WRONG_USAGE, CliError, tell
from farebox.cli.output import AsJson, note, show
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.engine.spawn import DATABASE_VARIABLE
from farebox.importers.formats import AUTO, FORMATS
from farebox.importers.mapping import ImportMapping
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


GOES_ON = "what was recorded stays; the same command goes on from there, and counts nothing twice"


class RefusedLines(msgspec.Struct, frozen=True):
    """How many lines were refused for one reason, and the numbers of the first of them."""

    reason: str
    message: str
    lines: int
    first_lines: list[int]


class ImportAnswer(msgspec.Struct, frozen=True):
    """What an import came to, in lines.

    `skipped` were recorded by an earlier run that was interrupted. `refused` are all lines that
    are not recorded, `conflicts` among them.
    """

    file: str
    format: str | None
    accepted: int
    duplicates: int
    skipped: int
    refused: int
    conflicts: int
    seconds: float
    refusals: list[RefusedLines]


def import_log(
    file: File,
    *,
    mapping: MappingFile = None,
    format_name: Format = AUTO,
    key_id: KeyId = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Record the requests of a web server's access log. Again, it counts nothing twice."""
    session = Session(database)
    session.existing()
    environment = {**process_environment(), DATABASE_VARIABLE: database}
    headers = read_settings(environment, needs_secret=False).key_headers
    overrides: dict[str, object] = {}
    if format_name != AUTO:
        overrides["format"] = format_name
    if key_id is not None:
        overrides["key_id"] = {"value": key_id}
    try:
        chosen = read_mapping(_text_of(mapping), headers, overrides)
        counts = _import(session, chosen, file)
    except FareboxError as error:
        raise _told(error, file) from error
    except KeyboardInterrupt:
        note(f"interrupted: {GOES_ON}")
        raise
    _report(counts, as_json=as_json)


def _import(session: Session, chosen: ImportMapping, file: str) -> Counts:
    with _bar() as bar:
        task = bar.add_task(file, total=None)

        def on_progress(read_bytes: int, size_bytes: int | None) -> None:
            bar.update(task, completed=read_bytes, total=size_bytes)

        return Import(session.database, session.place(), chosen, on_progress).run(file)


def _text_of(mapping: Path | None) -> str:
    if mapping is None:
        return ""
    try:
        return mapping.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"the mapping {mapping} can't be read: {why}"
        raise CliError(message) from error


def _told(error: FareboxError, file: str) -> Exception:
    """What ends an import, in words of the command line."""
    if error.kind.status == STORE_UNAVAILABLE.status:
        return CliError(f"the import broke off: {error.internal or error.message}; {GOES_ON}")
    problems = error.details.get("problems")
    if isinstance(problems, list):
        for problem in problems:
            tell(f"the mapping: {problem}")
        return typer.Exit(WRONG_USAGE)
    if error.params.get("field") == "file":
        tell(f"'{file}' must be {error.params['expected']}")
        return typer.Exit(WRONG_USAGE)
    return error


def _report(counts: Counts, *, as_json: bool) -> None:
    refusals = counts.refusals
    answer = ImportAnswer(
        file=counts.file,
        format=counts.format,
        accepted=counts.accepted,
        duplicates=counts.duplicates,
        skipped=counts.skipped,
        refused=refusals.total,
        conflicts=counts.conflicts,
        seconds=round(counts.seconds, 2),
        refusals=[
            RefusedLines(reason.name.lower(), reason.value, count, refusals.samples[reason])
            for reason, count in refusals.ordered()
        ],
    )
    show(answer, as_json=as_json, without=("refusals",))
    if refusals.total and not as_json:
        note(refusals.to_text(counts.file))
    if refusals.total and not counts.accepted + counts.duplicates + counts.skipped:
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
