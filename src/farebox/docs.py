"""The command `farebox docs`: the documentation as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farebox.cli.output import note
from farebox.pages.export import write_site
from farebox.parts import facts
from farebox.settings import read_settings

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made if need be.")]


def docs(folder: Folder) -> None:
    """Write the served documentation into a folder, as files."""
    count = write_site(folder, facts(read_settings({})))
    note(f"{count} files in {folder}")


def add_docs(app: typer.Typer) -> None:
    """Add the command to the whole."""
    app.command("docs")(docs)
