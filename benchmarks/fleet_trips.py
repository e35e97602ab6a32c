"""Round trips to the database per admitted request, at full load on one workspace.

Counted are those of all connections of the nodes: of the recorders, for draws, records, renewals
and whatever else, and of the followers, who read what has changed.
"""

from __future__ import annotations

from benchmarks.fleet import nodes, server, together
from benchmarks.fleet_node import Order
from benchmarks.table import Row
from farebox.service.record_queue import WAITING_MAX

SECONDS = 10.0
WARM = Order(1.0)
FULL = Order(SECONDS, waiting_max=WAITING_MAX)
TRIPS_MAX = 0.01


def compare(count: int) -> Row:
    """Of so many nodes at once."""
    with server() as cluster, nodes(cluster, 1, count) as fleet:
        together(fleet, WARM)
        rate = together(fleet, FULL)
    trips = rate.trips / rate.admitted
    return Row(
        f"round trips per request admitted and recorded at full load on one workspace, "
        f"nodes: {count}",
        f"{trips:.4f} ({rate.trips:,} for {rate.admitted:,} at {rate.per_second:,.0f} "
        f"requests/s; answered 503: {rate.failed}), against {TRIPS_MAX}",
        trips / TRIPS_MAX,
        "<= 1",
        trips <= TRIPS_MAX,
    )
