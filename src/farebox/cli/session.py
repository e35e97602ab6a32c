"""A session with the database: commands go to the recorder, reads come straight from the file.

It works beside running servers and without any: then the recorder starts for the command and ends
by itself. Who acts is kept as the name of the system's user.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from farebox.cli.failure import CliError
from farebox.contract.decoding import decode
from farebox.engine.clock import wall_ms
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.service.pages import LIMIT_MAX, Page, Turn, turn
from farebox.settings import SETTINGS
from farebox.store.contract import Reader, StoreFaultError
from farebox.store.sqlite.database import open_reader
from farebox.store.sqlite.migrate import check_schema

_SETTING = next(setting for setting in SETTINGS if setting.name == "FAREBOX_DATABASE")
DATABASE_DEFAULT = _SETTING.default

# What a database may begin with; no other command makes one by a path that is mistyped.
BEGINNINGS = ("log_types.create", "plans.create", "tokens.create")

Answer = TypeVar("Answer", bound=msgspec.Struct)
Result = TypeVar("Result")


def _database(text: str) -> str:
    try:
        _SETTING.read(text.strip())
    except ValueError as error:
        message = f"must be {error}"
        raise typer.BadParameter(message) from error
    return text


Database = Annotated[
    str,
    typer.Option(
        "--database", envvar=_SETTING.name, help=_SETTING.help, callback=_database, metavar="URL"
    ),
]


class Session:
    """Works with one database file."""

    def __init__(self, database: str) -> None:
        path = _SETTING.read(database.strip())
        assert isinstance(path, Path)
        self.path = path
        self.now_ms = wall_ms()

    def call(self, name: str, form: msgspec.Struct, answer: type[Answer]) -> Answer:
        """Run a command in the recorder; returns after the commit.

        Raises:
            FareboxError: why it was refused, or 503.
            CliError: there is no database yet, and this is nothing to begin one with.
        """
        if name not in BEGINNINGS:
            self.existing()
        if not self.path.parent.is_dir():
            message = f"there is no folder {self.path.parent}"
            raise CliError(message)
        # The bounds of a form count when one is decoded.
        checked = decode(msgspec.json.encode(form), type(form))
        with SyncLink(self.path, RecorderProcess(recorder_command(self.path))) as link:
            return link.call(name, checked, answer, actor=f"cli:{_user_name()}")

    def read(self, work: Callable[[Reader], Result]) -> Result:
        """Read from the database.

        Raises:
            CliError: there is none yet, or it can't be read.
        """
        path = self.existing()
        try:
            with closing(open_reader(path)) as reader:
                check_schema(reader)
                return work(reader)
        except StoreFaultError as error:
            message = f"{path}: {error}"
            raise CliError(message) from error

    def existing(self) -> Path:
        """The database file.

        Raises:
            CliError: there is none yet.
        """
        if not self.path.is_file():
            message = (
                f"there is no database at {self.path}; name another one with --database, "
                "or make one with `farebox serve`"
            )
            raise CliError(message)
        return self.path

    def read_all(self, work: Callable[[Reader, Turn], Page[Result]]) -> list[Result]:
        """All entries of a list, page by page."""

        def every_page(reader: Reader) -> list[Result]:
            entries: list[Result] = []
            cursor: str | None = None
            while True:
                found = work(reader, turn(cursor, LIMIT_MAX))
                entries += found.data
                cursor = found.next_cursor
                if cursor is None:
                    return entries

        return self.read(every_page)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
