"""`farebox keys`: the API keys of a workspace. A new one is printed once."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Annotated, Literal

import typer
from msgspec import UNSET, UnsetType

from farebox.cli.options import (
    AMOUNT,
    ExpiresAt,
    ProfileId,
    amount,
    amount_or_none,
    amount_sent,
    sent,
    text_sent,
)
from farebox.cli.output import AsJson, note, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.core.key import KEY_LENGTH_MAX
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import (
    IssuedKey,
    KeyChange,
    KeyMade,
    KeyMake,
    KeyRevoke,
    KeyRotation,
)
from farebox.service.keys import list_keys, read_key

app = typer.Typer(no_args_is_help=True)
COLUMNS = (
    "key_id",
    "name",
    "masked_authentication",
    "user_id",
    "channel",
    "created_at",
    "expires_at",
    "status",
    "log_type_slugs",
    "ip_ranges",
    "credits_cap",
)
ONCE = "Keep the key: it is not shown again."
LogTypes = Annotated[
    list[str] | None,
    typer.Option("--log-type", metavar="SLUG", help="A log type that it may call; many may stand."),
]
IpRanges = Annotated[
    list[str] | None,
    typer.Option(
        "--ip-range",
        metavar="RANGE",
        help="An address or CIDR range it may be used from; many may stand.",
    ),
]
CAP = "The most credits it may use in a billing period."
KeyId = Annotated[str, typer.Argument(help="Id of the API key.")]


@app.command()
def create(  # noqa: PLR0913 - an option for each field
    profile_id: ProfileId,
    *,
    user_id: Annotated[str | None, typer.Option(help="Whose it is. Default: the owner's.")] = None,
    name: Annotated[str, typer.Option(help="Its name.")] = "",
    expires_at: ExpiresAt = None,
    channel: Annotated[
        Literal["api", "portal"], typer.Option(help="Which quota its calls count against.")
    ] = "api",
    log_types: LogTypes = None,
    ip_ranges: IpRanges = None,
    credits_cap: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="CREDITS", help=CAP)
    ] = None,
    is_import: Annotated[
        bool,
        typer.Option("--import", help="Take a key that exists already, from standard input."),
    ] = False,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create an API key, or import one."""
    form = KeyMake(
        profile_id=profile_id,
        user_id=user_id,
        name=name,
        expires_at=expires_at,
        channel=channel,
        log_type_slugs=log_types or None,
        ip_ranges=ip_ranges or None,
        credits_cap=credits_cap,
        # Never as an argument: those are seen by everyone on the machine.
        key=sys.stdin.readline(KEY_LENGTH_MAX + 2).strip() if is_import else None,
    )
    show(Session(database).call("keys.create", form, KeyMade), as_json=as_json)
    if not is_import:
        note(ONCE)


@app.command()
def change(  # noqa: PLR0913 - an option for each field
    profile_id: ProfileId,
    key_id: KeyId,
    *,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    expires_at: Annotated[
        str | None, typer.Option(help="When it expires, or none.", metavar="TIME|none")
    ] = None,
    log_types: LogTypes = None,
    all_log_types: Annotated[
        bool, typer.Option("--all-log-types", help="Let it call every log type.")
    ] = False,
    ip_ranges: IpRanges = None,
    any_ip: Annotated[
        bool, typer.Option("--any-ip", help="Let it be used from every address.")
    ] = False,
    credits_cap: Annotated[
        str | None, typer.Option(parser=amount_or_none, metavar=AMOUNT, help=CAP)
    ] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Change the name, the end or the terms of an API key. What isn't given stays as it is."""
    form = KeyChange(
        profile_id=profile_id,
        key_id=key_id,
        name=sent(name),
        expires_at=text_sent(expires_at),
        log_type_slugs=_list_sent("--log-type", log_types, "--all-log-types", is_all=all_log_types),
        ip_ranges=_list_sent("--ip-range", ip_ranges, "--any-ip", is_all=any_ip),
        credits_cap=amount_sent(credits_cap),
    )
    show(Session(database).call("keys.change", form, IssuedKey), as_json=as_json)


@app.command()
def rotate(
    profile_id: ProfileId,
    key_id: KeyId,
    *,
    overlap_seconds: Annotated[
        int, typer.Option(help="How long the old key still works.", min=0)
    ] = 0,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make a new API key in the place of another."""
    form = KeyRotation(profile_id=profile_id, key_id=key_id, overlap_seconds=overlap_seconds)
    show(Session(database).call("keys.rotate", form, KeyMade), as_json=as_json)
    note(ONCE)


@app.command()
def revoke(
    profile_id: ProfileId,
    key_id: KeyId,
    *,
    database: Database = DATABASE_DEFAULT,
) -> None:
    """Revoke an API key for good."""
    Session(database).call("keys.revoke", KeyRevoke(profile_id=profile_id, key_id=key_id), Nothing)
    note(f"{key_id} is revoked.")


@app.command("list")
def list_all(
    profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False
) -> None:
    """List the API keys of a workspace."""
    session = Session(database)
    rows = session.read_all(lambda reader, at: list_keys(reader, profile_id, at, session.now_ms))
    show_list(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_one(
    profile_id: ProfileId,
    key_id: KeyId,
    *,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show an API key, without its secret."""
    session = Session(database)
    data = session.read(lambda reader: read_key(reader, profile_id, key_id, session.now_ms))
    show(data, as_json=as_json)


def _list_sent(
    option: str, values: list[str] | None, all_option: str, *, is_all: bool
) -> list[str] | UnsetType | None:
    """A list in a change: unset when it wasn't given, None for all."""
    if values and is_all:
        message = f"stands either with {option} or alone"
        raise typer.BadParameter(message, param_hint=all_option)
    return None if is_all else values or UNSET
