"""`farebox grants`, `corrections` and `statement`: the credits of a workspace."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import typer
from rich.text import Text

from farebox.cli.options import ExpiresAt, ProfileId, amount
from farebox.cli.output import AsJson, console, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.corrections import list_corrections
from farebox.service.forms.common import Nothing
from farebox.service.forms.money import (
    CorrectionData,
    CorrectionMake,
    GrantData,
    GrantMake,
    StatementData,
    StatementOpen,
)
from farebox.service.grants import list_grants
from farebox.service.statement import read_statement

grants = typer.Typer(no_args_is_help=True)
corrections = typer.Typer(no_args_is_help=True)
GRANT_COLUMNS = (
    "grant_id",
    "kind",
    "credits",
    "credits_left",
    "priority",
    "created_at",
    "expires_at",
)
CORRECTION_COLUMNS = ("correction_id", "request_id", "credits", "reason", "created_at")
LISTS = {
    "grants": ("grant_id", "kind", "credits", "at", "expires_at"),
    "charges": ("slug", "name", "requests", "credits"),
    "expiries": ("grant_id", "kind", "credits", "at"),
    "corrections": CORRECTION_COLUMNS,
    "history_charges": ("slug", "name", "requests", "credits"),
}


@grants.command("create")
def create_grant(
    profile_id: ProfileId,
    *,
    credits: Annotated[
        Decimal, typer.Option(parser=amount, metavar="CREDITS", help="How many credits.")
    ],
    kind: Annotated[
        Literal["topup", "promotion", "plan"], typer.Option(help="What they are given for.")
    ] = "topup",
    expires_at: ExpiresAt = None,
    priority: Annotated[
        int, typer.Option(help="Of grants that expire together the highest is spent first.")
    ] = 0,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Give credits to a workspace."""
    form = GrantMake(
        profile_id=profile_id,
        credits=credits,
        kind=kind,
        expires_at=expires_at,
        priority=priority,
    )
    show(Session(database).call("grants.create", form, GrantData), as_json=as_json)


@grants.command("list")
def list_all_grants(
    profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False
) -> None:
    """List the grants of a workspace."""
    rows = Session(database).read_all(lambda reader, at: list_grants(reader, profile_id, at))
    show_list(rows, GRANT_COLUMNS, as_json=as_json)


@corrections.command("create")
def create_correction(
    profile_id: ProfileId,
    request_id: Annotated[str, typer.Argument(help="The query_log_id of the request.")],
    *,
    credits: Annotated[
        Decimal,
        typer.Option(
            parser=amount, metavar="CREDITS", help="Above 0 charges more, below 0 gives back."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, for people.")],
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Correct what a request cost."""
    form = CorrectionMake(
        profile_id=profile_id, request_id=request_id, credits=credits, reason=reason
    )
    show(Session(database).call("corrections.create", form, CorrectionData), as_json=as_json)


@corrections.command("list")
def list_all_corrections(
    profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False
) -> None:
    """List the corrections of a workspace."""
    rows = Session(database).read_all(lambda reader, at: list_corrections(reader, profile_id, at))
    show_list(rows, CORRECTION_COLUMNS, as_json=as_json)


def statement(
    profile_id: ProfileId,
    *,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM", help="The month it starts in, or a time within it. Default: now."
        ),
    ] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Print what to invoice a workspace from."""
    session = Session(database)
    # No recorder may have run since the period ended.
    session.call("statement.open", StatementOpen(profile_id=profile_id), Nothing)
    data = session.read(lambda reader: read_statement(reader, profile_id, period, session.now_ms))
    if as_json:
        show(data, as_json=True)
    else:
        _print(data)


def _print(data: StatementData) -> None:
    show(data, as_json=False, without=LISTS)
    for name, columns in LISTS.items():
        rows = getattr(data, name)
        if rows:
            console().print(Text(f"\n{name}", style="bold"))
            show_list(rows, columns, as_json=False)
