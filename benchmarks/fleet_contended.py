"""One contended balance: decisions of a gate against a guarded UPDATE per request; and many.

A decision that counts is a call admitted by credits and settled: its request, its sums and its
charge are committed before the round ends. Decisions alone are told beside: units are drawn
durably, nothing is settled, and each hold ends after a second. The plan has credits and no other
limit, as the UPDATE has; that writes no request, unless a log row is told of. All of it runs on
one server, in turns of a second or two.
"""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from benchmarks.fleet import Node, nodes, server, together
from benchmarks.fleet_node import Order
from benchmarks.guarded import WORKERS, guarded
from benchmarks.table import Row

ROUNDS = 7
SECONDS = 1.5
MANY = 1_000
OVER_UPDATES_MIN = 10.0
OVER_MANY_MIN = 0.8


class _Round(NamedTuple):
    recorded: float
    decided: float
    updated: float
    logged: float


class _Spread(NamedTuple):
    one: float
    many: float
    one_decided: float
    many_decided: float


def compare_updates(*, in_memory: bool) -> Row:
    """Decisions/s of one node on one balance against guarded UPDATEs/s of four connections."""
    with (
        server(in_memory=in_memory) as cluster,
        nodes(cluster, 1, is_limited=False) as fleet,
        guarded(cluster, 1) as updates,
    ):
        rounds = [
            _Round(
                _rate(fleet),
                _rate(fleet, is_recorded=False),
                updates.rate(SECONDS),
                updates.rate(SECONDS, is_logged=True),
            )
            for _ in range(ROUNDS + 1)
        ][1:]
    ratio = median(one.recorded / one.updated for one in rounds)
    alone = median(one.decided / one.updated for one in rounds)
    logged = median(one.recorded / one.logged for one in rounds)
    middle = _Round(*map(median, zip(*rounds, strict=True)))
    return Row(
        "decisions on one balance, recorded, over guarded UPDATEs of "
        f"{WORKERS} connections, data {'in memory' if in_memory else 'on the disk'}",
        f"{middle.recorded:,.0f} and {middle.updated:,.0f}/s; decisions alone "
        f"{middle.decided:,.0f}/s, ratio {alone:.1f}; UPDATEs with a log row "
        f"{middle.logged:,.0f}/s, ratio {logged:.1f}",
        ratio,
        f">= {OVER_UPDATES_MIN:.0f}",
        ratio >= OVER_UPDATES_MIN,
    )


def compare_many() -> Row:
    """Decisions/s on one balance against those in turn on a thousand."""
    with server(in_memory=False) as cluster, nodes(cluster, MANY, is_limited=False) as fleet:
        rounds = [
            _Spread(
                _rate(fleet),
                _rate(fleet, keys=MANY),
                _rate(fleet, is_recorded=False),
                _rate(fleet, keys=MANY, is_recorded=False),
            )
            for _ in range(ROUNDS + 1)
        ][1:]
    ratio = median(one.one / one.many for one in rounds)
    alone = median(one.one_decided / one.many_decided for one in rounds)
    middle = _Spread(*map(median, zip(*rounds, strict=True)))
    return Row(
        f"decisions on one balance, recorded, over {MANY:,} balances in turn, data on the disk",
        f"{middle.one:,.0f} and {middle.many:,.0f}/s; decisions alone "
        f"{middle.one_decided:,.0f} and {middle.many_decided:,.0f}/s, ratio {alone:.2f}",
        ratio,
        f">= {OVER_MANY_MIN}",
        ratio >= OVER_MANY_MIN,
    )


def _rate(fleet: list[Node], *, keys: int = 1, is_recorded: bool = True) -> float:
    return together(fleet, Order(SECONDS, keys=keys, is_recorded=is_recorded)).per_second
