"""Invariants: what must hold over a snapshot of the books, as pure rules over rows and sums.

A rule yields a `Difference` for each place where what is kept isn't what it should be, and nothing
when all is well. Here are the rules of rollups and zones; those of the ledger are in
`core.invariants_ledger`. The audit of a database, property tests and simulations share them; none
of them reads or decides anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from farebox.core.rollup import Usage

NOTHING = "nothing"


class Difference(NamedTuple):
    """Where two sides of the books disagree. `profile_id` is None when no workspace is concerned.

    `where` names a row by its columns, so that it can be looked up.
    """

    check: str
    profile_id: int | None
    where: str
    expected: str
    found: str


class ZoneVersion(NamedTuple):
    """A version of a workspace's zone; `built_quarter` is null when its days are complete."""

    zone_version: int
    from_ms: int
    timezone: str
    built_quarter: int | None


def check_usage(
    check: str, profile_id: int, expected: Mapping[str, Usage], found: Mapping[str, Usage]
) -> Iterator[Difference]:
    """Two rollups of the same requests, by the name of the place, are the same."""
    for where in sorted(expected.keys() | found.keys()):
        should, kept = expected.get(where), found.get(where)
        if should != kept:
            shown = [_usage_text(usage, should, kept) for usage in (should, kept)]
            yield Difference(check, profile_id, where, *shown)


def check_amounts(
    check: str, profile_id: int, expected: Mapping[str, int], found: Mapping[str, int]
) -> Iterator[Difference]:
    """Two sums of the same credits, by the name of the place, are the same; 0 is nothing."""
    for where in sorted(expected.keys() | found.keys()):
        should, kept = expected.get(where, 0), found.get(where, 0)
        if should != kept:
            yield Difference(check, profile_id, where, _micro(should), _micro(kept))


def check_zones(
    profile_id: int, versions: Sequence[ZoneVersion], timezone: str, zone_version: int
) -> Iterator[Difference]:
    """Reports read complete days, and the zone set last is the workspace's."""

    def differ(where: str, expected: str, found: str) -> Difference:
        return Difference("zones", profile_id, where, expected, found)

    ordered = sorted(versions)
    built = {zone.zone_version: zone.built_quarter for zone in ordered}
    if built.get(zone_version, zone_version) is not None:
        should = "a version whose days are complete"
        yield differ("workspaces.zone_version", should, f"{zone_version}")
    if not ordered or ordered[-1].timezone != timezone:
        last = ordered[-1].timezone if ordered else NOTHING
        yield differ("workspaces.timezone", f"{last}, the last version's", timezone)
    for before, after in pairwise(ordered):
        if after.from_ms < before.from_ms:
            where = f"zone_version {after.zone_version}"
            yield differ(where, f"from_ms {before.from_ms} or later", f"from_ms {after.from_ms}")


def _usage_text(usage: Usage | None, *sides: Usage | None) -> str:
    """The fields in which the sides differ; all that say something when one side is missing."""
    if usage is None:
        return NOTHING
    if None in sides:
        shown = [name for name in Usage._fields if getattr(usage, name)]
    else:
        shown = [name for name in Usage._fields if len({getattr(s, name) for s in sides}) > 1]
    return ", ".join(f"{name} {getattr(usage, name)}" for name in shown)


def _micro(amount_micro: int) -> str:
    return f"credits_micro {amount_micro}" if amount_micro else NOTHING
