"""The command line: `farebox NOUN VERB`. One file for each group of commands.

A command that needs what stands above the faces (the server, an importer) comes in as one of
`more`: a function that adds it to the whole. Whatever fails is told in one line on stderr.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from farebox import __version__
from farebox.cli import (
    audit,
    backup,
    keys,
    links,
    log_types,
    migrate,
    money,
    plans,
    refusals,
    tokens,
    users,
    webhooks,
    workspaces,
)
from farebox.cli.failure import FAILED, told

Plug = Callable[[typer.Typer], None]


def make_app(*more: Plug) -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="farebox",
        help="Meters, limits and reports the use of an HTTP API that is sold by credits.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(version)
    for plug in more:
        plug(app)
    app.command("audit")(audit.audit)
    app.command("backup")(backup.backup)
    app.command("restore")(backup.restore)
    app.command("restored")(backup.restored)
    app.command("migrate")(migrate.migrate)
    app.add_typer(plans.app, name="plans", help="Plans: limits and monthly credits.")
    app.add_typer(log_types.app, name="log-types", help="Log types: priced endpoints.")
    app.add_typer(workspaces.app, name="workspaces", help="Workspaces: your customers.")
    app.add_typer(users.app, name="users", help="Users: the members of a workspace.")
    app.add_typer(keys.app, name="keys", help="API keys of a workspace.")
    app.add_typer(links.app, name="links", help="Links into the dashboard of a workspace.")
    app.add_typer(money.grants, name="grants", help="Credits given to a workspace.")
    app.add_typer(money.corrections, name="corrections", help="Corrections of what was charged.")
    app.command("statement")(money.statement)
    app.add_typer(refusals.app, name="refusals", help="Refused calls, and why.")
    app.add_typer(tokens.app, name="tokens", help="Bearer tokens of the metering and admin API.")
    app.add_typer(webhooks.app, name="webhooks", help="Webhooks: URLs that events are sent to.")
    return app


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's form
    if value:
        typer.echo(f"farebox {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


def version(*, _is_asked: Version = False) -> None:
    """Meters, limits and reports the use of an HTTP API that is sold by credits."""


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0, 1 it failed, 2 it was asked wrongly."""

    def work() -> int:
        try:
            app(args=None if arguments is None else list(arguments), prog_name="farebox")
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else FAILED
        return 0

    return told(work)
