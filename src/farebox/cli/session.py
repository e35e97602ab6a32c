"""A session with the database: commands go to the recorder, reads come straight from the database.

It works beside running servers and without any: then the recorder starts for the command and ends
by itself. Who acts is kept as the name of the system's user.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from farebox.cli.failure import CliError
from farebox.contract.decoding import decode
from farebox.core.database_url import read_database_url
from farebox.engine.clock import wall_ms
from farebox.engine.paths import place_of
from farebox.engine.spawn import DATABASE_VARIABLE, recorder_process
from farebox.engine.sync_link import SyncLink
from farebox.service.pages import LIMIT_MAX, Page, Turn, turn
from farebox.settings import (
    DATABASE_DEFAULT,
    REFUSED_FLAG,
    process_environment,
    read_runtime_dir,
)
from farebox.store.contract import Reader, StoreFaultError
from farebox.store.database import Database as AnyDatabase

__all__ = ["BEGINNINGS", "DATABASE_DEFAULT", "Database", "Session", "check_url"]

# What a database may begin with; no other command makes one by a path that is mistyped.
BEGINNINGS = ("log_types.create", "plans.create", "tokens.create")

Answer = TypeVar("Answer", bound=msgspec.Struct)
Result = TypeVar("Result")


def check_url(
    context: typer.Context, parameter: typer.CallbackParam, text: str | None
) -> str | None:
    """An option's URL as it is; one that can't be, or shows a password, is refused."""
    if text is None:
        return None
    try:
        url = read_database_url(text.strip())
    except ValueError as error:
        message = f"must be {error}"
        raise typer.BadParameter(message) from error
    source = context.get_parameter_source(str(parameter.name))
    if url.has_password and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter(REFUSED_FLAG)
    return text


Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar=DATABASE_VARIABLE,
        help="Where everything is kept: sqlite:///FILE or postgresql://USER@HOST/NAME.",
        callback=check_url,
        metavar="URL",
    ),
]


class Session:
    """Works with one database."""

    def __init__(self, database: str) -> None:
        self.database = AnyDatabase(read_database_url(database.strip()))
        self.now_ms = wall_ms()

    def place(self) -> Path:
        """Where its recorder is met.

        Raises:
            CliError: there is no such folder, or none that is safe.
        """
        try:
            place = place_of(self.database, read_runtime_dir(process_environment()))
        except StoreFaultError as error:
            raise CliError(str(error)) from error
        if not place.parent.is_dir():
            message = f"there is no folder {place.parent}"
            raise CliError(message)
        return place

    def call(self, name: str, form: msgspec.Struct, answer: type[Answer]) -> Answer:
        """Run a command in the recorder; returns after the commit.

        Raises:
            FareboxError: why it was refused, or 503.
            CliError: there is no database yet, and this is nothing to begin one with.
        """
        if name not in BEGINNINGS:
            self.existing()
        place = self.place()
        # The bounds of a form count when one is decoded.
        checked = decode(msgspec.json.encode(form), type(form))
        process = recorder_process(self.database, place, process_environment())
        with SyncLink(place, process) as link:
            return link.call(name, checked, answer, actor=f"cli:{_user_name()}")

    def read(self, work: Callable[[Reader], Result]) -> Result:
        """Read from the database.

        Raises:
            CliError: there is none yet, or it can't be read.
        """
        self.existing()
        with self._told(), closing(self.database.open_checked_reader()) as reader:
            return work(reader)

    def existing(self) -> AnyDatabase:
        """The database.

        Raises:
            CliError: there is none yet.
        """
        if self.database.is_file and not self.database.path.is_file():
            message = (
                f"there is no database at {self.database}; name another one with --database, "
                "or make one with `farebox serve`"
            )
            raise CliError(message)
        return self.database

    def file(self, instead: str) -> Path:
        """The file of a database that is one; `instead` is what to do with a server.

        Raises:
            CliError: it is a server's, and why this can't be done there.
        """
        if not self.database.is_file:
            message = f"{self.database} is no file: {instead}"
            raise CliError(message)
        return self.database.path

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is wrong with a database is told with its name."""
        try:
            yield
        except StoreFaultError as error:
            message = f"{self.database}: {error}"
            raise CliError(message) from error

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
