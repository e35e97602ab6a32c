"""The recorder's process, started by whoever needs it.

`python -m farebox.recorder FILE` records into SQLite; `… PLACE URL` into PostgreSQL, where the URL
is for those who look at the machine's processes: the whole one, with its password, comes in
FAREBOX_DATABASE.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from farebox.core.database_url import read_database_url
from farebox.engine.clock import SteadyClock
from farebox.engine.entropy import SystemEntropy
from farebox.engine.node_mark import NodeMark
from farebox.engine.paths import node_path
from farebox.engine.recorder import Recorder
from farebox.engine.recorder_loop import serve_recorder
from farebox.engine.spawn import DATABASE_VARIABLE
from farebox.service.commands import COMMANDS
from farebox.settings import process_environment
from farebox.store.contract import StoreFaultError
from farebox.store.database import Database, file_database


def make_recorder(database: Database, place: Path) -> Recorder:
    """The recorder of a database that is met at a place; its schema is brought up to date first.

    Raises:
        StoreFaultError: it can't be opened, or belongs to something else.
    """
    database.prepare()
    writer = database.open_writer()
    try:
        high_water_ms = writer.integer("clock_high_water")
    finally:
        writer.close()
    clock, mark = SteadyClock(high_water_ms), None
    if not database.is_file:
        mark = NodeMark(node_path(place))
    return Recorder(database.open_writer, clock, SystemEntropy(), COMMANDS, mark=mark)


def database_of(arguments: Sequence[str], environment: Mapping[str, str]) -> Database:
    """The database that a recorder was started for."""
    place, *shown = arguments
    if not shown:
        return file_database(Path(place))
    return Database(read_database_url(environment[DATABASE_VARIABLE]))


def main() -> int:
    """Serve until no one needs the recorder any more."""
    arguments = sys.argv[1:]
    place = Path(arguments[0])
    database = database_of(arguments, process_environment())
    try:
        _check_folder(place.parent)
        serve_recorder(place, lambda: make_recorder(database, place))
    except StoreFaultError as error:
        sys.stderr.write(f"farebox: {database}: {error}\n")
        return 1
    return 0


def _check_folder(folder: Path) -> None:
    """Raises `StoreFaultError` when nothing can be made in a folder."""
    if not folder.is_dir():
        message = f"there is no folder {folder}"
        raise StoreFaultError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"the folder {folder} can't be written to"
        raise StoreFaultError(message)


if __name__ == "__main__":
    raise SystemExit(main())
