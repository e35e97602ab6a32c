"""`python -m benchmarks [--quick]`: measures, prints a table, and fails when a target is missed.

The first run fills a database of five million requests, which takes minutes, and keeps it in
`.bench/`. `--quick` leaves out what needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import ingest, latency, report
from benchmarks.table import Row

SMALL = 100_000
LARGE = 5_000_000

QUICK: tuple[Callable[[], Row], ...] = (
    lambda: ingest.compare(0),
    latency.compare,
)
LONG: tuple[Callable[[], Row], ...] = (
    lambda: ingest.compare(LARGE),
    lambda: report.compare(SMALL, LARGE),
)


def main() -> int:
    """Run the benchmarks one after the other; 1 when a target is missed."""
    chosen = QUICK if "--quick" in sys.argv[1:] else QUICK + LONG
    missed = 0
    for measure in chosen:
        row = measure()
        missed += not row.is_met
        verdict = "met" if row.is_met else "MISSED"
        print(
            f"{row.ratio:6.2f}  {row.target:8}  {verdict:6}  {row.what}: {row.figures}", flush=True
        )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
