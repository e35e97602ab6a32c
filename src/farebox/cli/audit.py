"""`farebox audit`: whether the books agree, and if not, where they differ."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from farebox.cli.failure import FAILED, tell
from farebox.cli.output import AsJson, console, show
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.core.credits import to_text
from farebox.core.errors import FareboxError
from farebox.core.instant import MS_PER_SECOND
from farebox.service.audit import AuditResult, audit_data, audit_keep, run_audit
from farebox.service.forms.common import Nothing
from farebox.store.contract import Reader


def audit(
    *,
    integrity: Annotated[
        bool, typer.Option("--integrity", help="Check the database file itself, too.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the result in the database.")
    ] = True,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Compute the books again from the log. Exit 0 if they agree, 1 naming what differs."""
    session = Session(database)

    def run(reader: Reader) -> AuditResult:
        with _bar() as bar:
            task = bar.add_task("workspaces", total=None)

            def on_progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            return run_audit(reader, integrity=integrity, on_progress=on_progress)

    result = session.read(run)
    show_audit(result, as_json=as_json)
    if keep:
        try:
            session.call("audits.keep", audit_keep(result), Nothing)
        except FareboxError as error:
            tell(f"the result could not be kept: {error.message}")
    if not result.agrees:
        raise typer.Exit(FAILED)


def show_audit(result: AuditResult, *, as_json: bool) -> None:
    """Print what an audit compared and found."""
    if as_json:
        show(audit_data(result), as_json=True)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("check", "rows", "differences"):
        table.add_column(column, justify="left" if column == "check" else "right")
    for check in result.checks:
        style = "bold red" if check.differences else ""
        cells = (check.check, f"{check.rows:,}", f"{check.differences:,}")
        table.add_row(*(Text(cell, style=style) for cell in cells))
    console().print(table)
    for difference in result.differences:
        whose = "" if difference.profile_id is None else f"workspace {difference.profile_id}: "
        sys.stdout.write(
            f"{difference.check}: {whose}{difference.where}: "
            f"expected {difference.expected}; found {difference.found}\n"
        )
    hidden = result.differing - len(result.differences)
    if hidden:
        sys.stdout.write(f"... and {hidden:,} more\n")
    sys.stdout.write(f"{summary(result)}\n")


def summary(result: AuditResult) -> str:
    """The outcome in one line."""
    seconds = f"{result.took_ms // MS_PER_SECOND}.{result.took_ms % MS_PER_SECOND // 100} s"
    compared = f"{result.requests:,} requests, {to_text(result.credits_micro)} credits, {seconds}"
    if result.agrees:
        return f"The books agree: {compared}."
    places = "place" if result.differing == 1 else "places"
    return f"The books differ in {result.differing:,} {places}: {compared}."


def _bar() -> Progress:
    """A progress bar on a terminal, and nothing in a pipe."""
    return Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
