"""Workers: `/v1/authorize` by two processes on one port, against one.

The client sends some requests at once on each connection and sleeps while it waits, so that it
takes as little as it can of the processors that the workers share.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from benchmarks.gate import ROUNDS, authorize, made, rate
from benchmarks.server import serving
from benchmarks.table import Row

AT_ONCE = 16
WORKERS = 2
RATIO_MIN = 1.0


def compare() -> Row:
    """Requests/s of two workers against those of one, each on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        databases = [Path(folder) / name for name in ("one.db", "two.db")]
        loads = [[authorize(made(database, 1)[0], "")] for database in databases]
        with serving(databases[0]) as one, serving(databases[1], workers=WORKERS) as two:

            def turn() -> tuple[float, float]:
                return (
                    rate(one, loads[0], at_once=AT_ONCE, wait_seconds=None),
                    rate(two, loads[1], at_once=AT_ONCE, wait_seconds=None),
                )

            pairs = [turn() for _ in range(ROUNDS + 1)][1:]
    alone, together = median(p[0] for p in pairs), median(p[1] for p in pairs)
    ratio = median(b / a for a, b in pairs)
    return Row(
        f"authorize by {WORKERS} workers, over one",
        f"{together:,.0f} and {alone:,.0f} requests/s",
        ratio,
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )
