"""`farebox users`: the members of a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from farebox.cli.options import ProfileId, sent
from farebox.cli.output import AsJson, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.workspace import UserChange, UserData, UserMake
from farebox.service.users import list_users, read_user

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("user_id", "nickname", "email", "is_owner", "created_at")
UserId = Annotated[str, typer.Argument(help="Id of the user.")]


@app.command()
def create(
    profile_id: ProfileId,
    *,
    nickname: Annotated[str, typer.Option(help="Name of the user.")],
    email: Annotated[str, typer.Option(help="Email address of the user.")],
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a user, if the workspace has a licence left."""
    form = UserMake(profile_id=profile_id, nickname=nickname, email=email)
    show(Session(database).call("users.create", form, UserData), as_json=as_json)


@app.command()
def change(
    profile_id: ProfileId,
    user_id: UserId,
    *,
    nickname: Annotated[str | None, typer.Option(help="Name of the user.")] = None,
    email: Annotated[str | None, typer.Option(help="Email address of the user.")] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Change a user. What isn't given stays as it is."""
    form = UserChange(
        profile_id=profile_id, user_id=user_id, nickname=sent(nickname), email=sent(email)
    )
    show(Session(database).call("users.change", form, UserData), as_json=as_json)


@app.command("list")
def list_all(
    profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False
) -> None:
    """List the users of a workspace."""
    rows = Session(database).read_all(lambda reader, at: list_users(reader, profile_id, at))
    show_list(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_one(
    profile_id: ProfileId,
    user_id: UserId,
    *,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show a user."""
    data = Session(database).read(lambda reader: read_user(reader, profile_id, user_id))
    show(data, as_json=as_json)
