"""Named queries, read from `.sql` files: those that all engines share, and an engine's own.

`sql/` is shared: plain SQL that means the same to every engine. What only one engine understands,
or what one of them does better in words of its own, stands in the folder of that engine. A name
stands in one of them alone; tests hold that.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import aiosql

SHARED_FOLDER = Path(__file__).parent / "sql"


def read_queries(driver: str, *paths: Path) -> dict[str, str]:
    """The SQL of every named query of files and folders, with parameters as a driver has them."""
    found: dict[str, str] = {}
    for path in paths:
        queries = aiosql.from_path(path, driver, mandatory_parameters=False)
        names = [name for name in queries.available_queries if not name.endswith("_cursor")]
        found |= {name: cast("str", getattr(queries, name).sql) for name in names}
    return found
