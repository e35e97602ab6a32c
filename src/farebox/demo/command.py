"""The command `farebox demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farebox.demo.run import run_demo
from farebox.settings import process_environment

DAYS = 60
DAYS_MAX = 400

Port = Annotated[
    str | None,
    typer.Option(
        metavar="PORT",
        help="The port to listen on; 0 takes a free one. Default: FAREBOX_PORT, else 8080.",
        show_default=False,
    ),
]
Days = Annotated[
    int, typer.Option(min=1, max=DAYS_MAX, help="Of how many days there is traffic, until now.")
]
Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Make the database here and keep it. Default: it goes with the demo.",
        show_default=False,
    ),
]


def demo(*, port: Port = None, days: Days = DAYS, keep: Keep = None) -> None:
    """Serve made-up traffic and a sample API, with lines to try."""
    raise typer.Exit(run_demo(process_environment(), port=port, days=days, keep=keep))


def add_demo(app: typer.Typer) -> None:
    """Add the command to the whole."""
    app.command("demo")(demo)
