"""`farebox refusals`: the calls that were refused, and why."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from farebox.cli.options import ProfileId
from farebox.cli.output import AsJson, console, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.refusal import RefusalCounts, RefusalData
from farebox.service.pages import LIMIT_MAX, turn
from farebox.service.refusal_counts import read_refusal_counts
from farebox.service.refusal_list import RefusalFilter, list_refusals
from farebox.service.refusals import EXPLAINED_KEPT
from farebox.store.contract import Reader

app = typer.Typer(no_args_is_help=True)
COLUMNS = (
    "refusal_id",
    "at",
    "profile_id",
    "masked_authentication",
    "status",
    "denied_by",
    "log_type_slug",
    "method",
    "path",
    "retry_at",
    "is_shadow",
)
COUNTED = ("refusals", "shadow_refusals")
LISTS = {
    "days": ("date", *COUNTED),
    "reasons": ("denied_by", *COUNTED),
    "keys": ("key_id", "masked_authentication", "denied_by", *COUNTED, "last_at"),
}


@app.command("list")
def list_all(
    *,
    profile_id: Annotated[
        int | None, typer.Option(help="Those of this workspace.", min=1, max=10**18)
    ] = None,
    key_id: Annotated[str | None, typer.Option(help="Those of this API key.")] = None,
    denied_by: Annotated[
        str | None, typer.Option(help="Those with this reason, such as hour or credits.")
    ] = None,
    limit: Annotated[
        int, typer.Option(help="How many at most.", min=1, max=EXPLAINED_KEPT)
    ] = LIMIT_MAX,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List the newest refused calls, with the limits that were looked at."""
    wanted = RefusalFilter(profile_id, key_id, denied_by)
    rows = Session(database).read(lambda reader: _newest(reader, wanted, limit))
    show_list(rows, COLUMNS, as_json=as_json)


@app.command()
def counts(
    profile_id: ProfileId,
    *,
    start_date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The first day. Default: 29 days before the last."),
    ] = None,
    end_date: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The last day, included. Default: today."),
    ] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Count the refused calls of a workspace, by day, by reason and by key."""
    session = Session(database)
    data = session.read(
        lambda reader: read_refusal_counts(reader, profile_id, start_date, end_date, session.now_ms)
    )
    if as_json:
        show(data, as_json=True)
    else:
        _print(data)


def _newest(reader: Reader, wanted: RefusalFilter, limit: int) -> list[RefusalData]:
    """So many of the newest, page by page."""
    rows: list[RefusalData] = []
    cursor: str | None = None
    while len(rows) < limit:
        at = turn(cursor, min(LIMIT_MAX, limit - len(rows)))
        found, cursor = list_refusals(reader, wanted, at)
        rows += found
        if cursor is None:
            break
    return rows


def _print(data: RefusalCounts) -> None:
    show(data, as_json=False, without=LISTS)
    for name, columns in LISTS.items():
        rows = getattr(data, name)
        if rows:
            console().print(Text(f"\n{name}", style="bold"))
            show_list(rows, columns, as_json=False)
