"""`python -m benchmarks [--quick | NAME…]`: measures, prints a table, fails on a missed target.

The first run fills a database of five million requests, which takes minutes, and keeps it in
`.bench/`. `--quick` leaves out what needs it and what takes minutes; names pick single ones. Those
of the fleet start a PostgreSQL server of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import (
    dashboard,
    fleet_contended,
    fleet_ingest,
    fleet_trips,
    gate,
    gate_cpu,
    imports,
    ingest,
    latency,
    report,
    workers,
)
from benchmarks.table import Row

SMALL = 100_000
LARGE = 5_000_000
NODES = 4
INGEST_SECONDS, INGEST_LONG_SECONDS = 60, 300

QUICK: dict[str, Callable[[], Row]] = {
    "ingest": lambda: ingest.compare_recorder(0),
    "ingest-http": lambda: ingest.compare(0),
    "latency": latency.compare,
    "gate": gate.compare_empty,
    "gate-contended": gate.compare_contended,
    "gate-cpu": gate_cpu.measure,
    "workers": workers.compare,
    "import": imports.measure,
    "fleet-trips": lambda: fleet_trips.compare(1),
    "fleet-trips-nodes": lambda: fleet_trips.compare(NODES),
    "fleet-contended": lambda: fleet_contended.compare_updates(in_memory=False),
    "fleet-contended-memory": lambda: fleet_contended.compare_updates(in_memory=True),
    "fleet-many": fleet_contended.compare_many,
    "fleet-ingest": lambda: fleet_ingest.compare(INGEST_SECONDS),
}
LONG: dict[str, Callable[[], Row]] = {
    "ingest-large": lambda: ingest.compare_recorder(LARGE),
    "ingest-http-large": lambda: ingest.compare(LARGE),
    "fleet-ingest-long": lambda: fleet_ingest.compare(INGEST_LONG_SECONDS),
    "report": lambda: report.compare(SMALL, LARGE),
    "dashboard": lambda: dashboard.compare(SMALL, LARGE),
    "dashboard-days": lambda: dashboard.compare_days(LARGE),
}


def main() -> int:
    """Run the benchmarks one after the other; 1 when a target is missed, 2 for unknown names."""
    known = QUICK | LONG
    names = [name for name in sys.argv[1:] if name != "--quick"]
    if not known.keys() >= set(names):
        print(f"There are: {', '.join(known)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or (QUICK if "--quick" in sys.argv[1:] else known):
        row = known[name]()
        missed += not row.is_met
        verdict = "met" if row.is_met else "MISSED"
        print(
            f"{row.ratio:6.2f}  {row.target:8}  {verdict:6}  {row.what}: {row.figures}", flush=True
        )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
