"""`farebox log-types`: priced endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from farebox.cli.options import amount, sent, text_sent
from farebox.cli.output import AsJson, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.log_type import LogTypeChange, LogTypeCreate, LogTypeData
from farebox.service.log_types import list_log_types, read_log_type

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("log_type_id", "slug", "name", "credits", "hold_credits", "method", "path")
Slug = Annotated[str, typer.Argument(help="The log type's slug.")]
Hold = Annotated[
    Decimal | None,
    typer.Option(
        parser=amount, metavar="CREDITS", help="What admission holds. Default: the credits."
    ),
]
Method = Annotated[str | None, typer.Option(help="HTTP method; any when none is given.")]
Path = Annotated[str | None, typer.Option(help="Path template, such as /people/{id}.")]


@app.command()
def create(
    slug: Slug,
    *,
    name: Annotated[str, typer.Option(help="Its name for people.")],
    credits: Annotated[
        Decimal, typer.Option(parser=amount, metavar="CREDITS", help="What a call costs.")
    ],
    hold_credits: Hold = None,
    method: Method = None,
    path: Path = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a log type."""
    form = LogTypeCreate(
        slug=slug, name=name, credits=credits, hold_credits=hold_credits, method=method, path=path
    )
    show(Session(database).call("log_types.create", form, LogTypeData), as_json=as_json)


@app.command()
def change(  # noqa: PLR0913 - an option for each field
    slug: Slug,
    *,
    name: Annotated[str | None, typer.Option(help="Its name for people.")] = None,
    credits: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="CREDITS", help="What a call costs.")
    ] = None,
    hold_credits: Hold = None,
    valid_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the price begins. Default: now.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="HTTP method; none is any.")] = None,
    path: Annotated[str | None, typer.Option(help="Path template, or none.")] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Change a log type, or its price from an instant on. What isn't given stays as it is."""
    form = LogTypeChange(
        slug=slug,
        name=sent(name),
        credits=sent(credits),
        hold_credits=sent(hold_credits),
        valid_from=sent(valid_from),
        method=text_sent(method),
        path=text_sent(path),
    )
    show(Session(database).call("log_types.change", form, LogTypeData), as_json=as_json)


@app.command("list")
def list_all(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """List the log types."""
    session = Session(database)
    rows = session.read_all(lambda reader, at: list_log_types(reader, at, session.now_ms))
    show_list(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_one(slug: Slug, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """Show a log type."""
    session = Session(database)
    data = session.read(lambda reader: read_log_type(reader, slug, session.now_ms))
    show(data, as_json=as_json)
