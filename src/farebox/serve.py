"""The command `farebox serve`: one flag for each setting that is no secret."""

from __future__ import annotations

import sys
from inspect import Parameter, Signature
from typing import Annotated

import typer

from farebox.app import Hooks
from farebox.logs import set_up_logging
from farebox.server import serve
from farebox.settings import (
    FLAGS_VARIABLE,
    SETTINGS,
    Setting,
    process_environment,
    read_settings,
)
from farebox.workers.supervisor import serve_together


def run_serve(**flags: str | None) -> None:
    """Serve the APIs, the documentation, health and metrics. Ends well when told to stop."""
    environment = process_environment()
    settings = read_settings(environment, flags)
    set_up_logging(settings.log_level)

    def on_ready(url: str) -> None:
        sys.stdout.write(f"Farebox serves {settings.database} on {url} (docs: {url}/docs/en/)\n")
        sys.stdout.flush()

    if settings.workers == 1:
        raise typer.Exit(serve(settings, Hooks(on_ready=on_ready)))
    told = {s.name: flag for s in SETTINGS if (flag := flags.get(s.field)) is not None}
    environment = {**environment, **told, FLAGS_VARIABLE: ",".join(told)}
    raise typer.Exit(serve_together(settings, environment, on_ready))


def add_serve(app: typer.Typer) -> None:
    """Add the command to the whole."""
    parameters = [_flag(setting) for setting in SETTINGS if not setting.is_secret]
    # Typer reads a function's signature; this one is made from the settings.
    run_serve.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run_serve.__annotations__ = {p.name: p.annotation for p in parameters}
    app.command("serve")(run_serve)


def _flag(setting: Setting) -> Parameter:
    default = f", else {setting.default}" if setting.default else ""
    option = typer.Option(
        f"--{setting.field.replace('_', '-')}",
        help=f"{setting.help} Default: {setting.name}{default}.",
        show_default=False,
        metavar=setting.field.upper(),
    )
    return Parameter(
        setting.field,
        Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )
