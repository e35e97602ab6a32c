"""The program's secret on the command line: the server's, from the setting or the file."""

from __future__ import annotations

from farebox.cli.output import note
from farebox.cli.session import Session
from farebox.engine.entropy import SystemEntropy
from farebox.engine.paths import secret_path
from farebox.engine.secret import ProgramSecret
from farebox.settings import Settings


def open_secret(session: Session, settings: Settings) -> ProgramSecret:
    """The secret, before anything is made that could not be shown without it.

    Raises:
        CliError: there is no database yet.
        FareboxError: 503, it can't be had.
    """
    secret = ProgramSecret(settings.secret, session.place(), SystemEntropy())
    session.existing()
    secret.check()
    return secret


def note_its_origin(session: Session, settings: Settings) -> None:
    """Say where it comes from, unless it is the setting."""
    if not settings.secret:
        note(f"FAREBOX_SECRET is not set: the secret comes from {secret_path(session.place())}.")
