"""The recorder's process: `python -m farebox.recorder FILE`, started by whoever needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from farebox.engine.clock import SteadyClock
from farebox.engine.entropy import SystemEntropy
from farebox.engine.recorder import Recorder
from farebox.engine.recorder_loop import serve_recorder
from farebox.service.commands import COMMANDS
from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import open_writer
from farebox.store.sqlite.migrate import migrate


def make_recorder(database: Path) -> Recorder:
    """The recorder of a database file, whose schema is brought up to date first.

    Raises:
        StoreFaultError: the file can't be opened, or belongs to something else.
    """
    writer = open_writer(database)
    try:
        migrate(writer)
        high_water_ms = writer.integer("clock_high_water")
    finally:
        writer.close()
    return Recorder(
        lambda: open_writer(database), SteadyClock(high_water_ms), SystemEntropy(), COMMANDS
    )


def main() -> int:
    """Serve until no one needs the recorder any more."""
    database = Path(sys.argv[1])
    try:
        _check_folder(database.parent)
        serve_recorder(database, lambda: make_recorder(database))
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
