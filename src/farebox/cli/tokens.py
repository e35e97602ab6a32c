"""`farebox tokens`: the provider's bearer tokens. A new one is printed once."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from farebox.cli.output import AsJson, note, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import TokenCreate, TokenMade, TokenRevoke
from farebox.service.tokens import list_tokens

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("token_id", "name", "scope", "created_at", "revoked_at")
ONCE = "Keep the token: it is not shown again."


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    *,
    scope: Annotated[
        Literal["meter", "admin"], typer.Option(help="What it may do; admin may do everything.")
    ],
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a bearer token."""
    form = TokenCreate(name=name, scope=scope)
    show(Session(database).call("tokens.create", form, TokenMade), as_json=as_json)
    note(ONCE)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token.")],
    *,
    database: Database = DATABASE_DEFAULT,
) -> None:
    """Revoke a bearer token for good."""
    Session(database).call("tokens.revoke", TokenRevoke(token_id=token_id), Nothing)
    note(f"{token_id} is revoked.")


@app.command("list")
def list_all(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """List the bearer tokens."""
    rows = Session(database).read_all(list_tokens)
    show_list(rows, COLUMNS, as_json=as_json)
