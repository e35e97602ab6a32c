"""`farebox links`: links into the dashboard of a workspace. A link is printed once."""

from __future__ import annotations

from typing import Annotated

import typer

from farebox.cli.options import ProfileId, duration_seconds
from farebox.cli.output import AsJson, note, show
from farebox.cli.secret import note_its_origin, open_secret
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.core.link import Role
from farebox.engine.spawn import DATABASE_VARIABLE
from farebox.service.forms.common import Nothing
from farebox.service.forms.link import LinkBegun, LinkMake, LinksRevoke
from farebox.service.links import link_seal, shown
from farebox.settings import process_environment, read_settings

app = typer.Typer(no_args_is_help=True)
ONCE = "Keep the link: it is not shown again, and whoever has it gets in."


@app.command()
def create(
    profile_id: ProfileId,
    *,
    role: Annotated[
        Role, typer.Option(help="What it lets one do: view only shows, manage also changes.")
    ],
    expires_in: Annotated[
        int,
        typer.Option(
            parser=duration_seconds,
            metavar="DURATION",
            help="How long it works, such as 15m, 1h or 7d; from a minute to 31 days.",
        ),
    ] = "1h",  # type: ignore[assignment] # what the parser reads
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a link that signs whoever opens it into the dashboard of a workspace.

    It is signed with a key derived from the server's FAREBOX_SECRET, and begins with its
    FAREBOX_PUBLIC_URL: give the command the same ones.
    """
    session = Session(database)
    settings = read_settings({**process_environment(), DATABASE_VARIABLE: database})
    secret = open_secret(session, settings)
    form = LinkMake(profile_id=profile_id, role=role, expires_in_seconds=expires_in)
    begun = session.call("links.create", form, LinkBegun)
    show(shown(begun, link_seal(secret.derive), settings.base_url), as_json=as_json)
    if not settings.public_url:
        note(f"FAREBOX_PUBLIC_URL is not set: the link begins with {settings.base_url}.")
    note_its_origin(session, settings)
    note(ONCE)


@app.command()
def revoke(profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT) -> None:
    """End all links into the dashboard of a workspace, and sign everyone out of it.

    API keys still work, also to sign in anew.
    """
    Session(database).call("links.revoke", LinksRevoke(profile_id=profile_id), Nothing)
    note(f"All links and sign-ins of workspace {profile_id} have ended.")
