"""`python -m tests.importing.killed DATABASE FILE MAPPING BLOCKS`: an import that is killed.

It kills itself, as `kill -9` would, when it has sent so many blocks of the file.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from farebox.importers.mapping_file import read_mapping
from farebox.importing.run import Import
from farebox.store.database import file_database


def main() -> None:
    """Import until killed."""
    database, file, mapping, blocks = sys.argv[1:]
    left = int(blocks)

    def on_progress(_read_bytes: int, _size_bytes: int | None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    path, chosen = Path(database), read_mapping(Path(mapping).read_text("utf-8"), ())
    Import(file_database(path), path, chosen, on_progress).run(file)


if __name__ == "__main__":
    main()
