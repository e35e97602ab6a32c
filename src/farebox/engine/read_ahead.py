"""Read-ahead: what a transaction needs of its workspaces, in the round trip that takes its locks.

Only where others write too: there nothing that was read before may be trusted. Where nobody else
does, each part reads what it needs at first use, and keeps it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from farebox.core.request import MeteredRequest
from farebox.engine.books import Books
from farebox.engine.draws import Draws, Lease, Lot
from farebox.engine.known import json_ids
from farebox.engine.limits import Limits, LimitsRow
from farebox.engine.nodes import Nodes
from farebox.engine.purses import GrantRow, PurseRow, purses_of
from farebox.engine.top_up import TopUpRow, TopUps
from farebox.engine.zones import ZoneRow, Zones
from farebox.store.contract import Locks, Writer


class Scope(NamedTuple):
    """What a transaction is about.

    Of the workspaces in `alone` nobody else may write anything meanwhile; to those in `shared`,
    others may add. `lease_ids` are the leases that it looks at; for the workspaces that it draws
    for, `is_drawing` has it look at what all leases have drawn. `claims` are the rows of its one
    claim, if it has any.
    """

    alone: frozenset[int] = frozenset()
    shared: frozenset[int] = frozenset()
    lease_ids: frozenset[int] = frozenset()
    is_drawing: bool = False
    claims: tuple[MeteredRequest, ...] = ()

    @property
    def locks(self) -> Locks:
        """What is to be locked."""
        return Locks(
            exclusive=tuple(sorted(self.alone)), shared=tuple(sorted(self.shared - self.alone))
        )

    def holding(self, profile_ids: Collection[int]) -> Scope:
        """The same, with some more workspaces alone."""
        return self._replace(alone=self.alone.union(profile_ids)) if profile_ids else self


class Parts(NamedTuple):
    """What is to know what was read."""

    nodes: Nodes
    books: Books
    zones: Zones
    limits: Limits
    top_ups: TopUps
    draws: Draws


def read_ahead(db: Writer, parts: Parts, scope: Scope) -> None:
    """Have everything known that a transaction needs; called right after its beginning."""
    profile_ids = scope.alone | scope.shared
    ids = json_ids(profile_ids)
    held = parts.nodes.ask()
    purses = db.ask("purses", PurseRow, profile_ids=ids)
    grants = db.ask("purse_grants", GrantRow, profile_ids=ids)
    zones = db.ask("zones_of", ZoneRow, profile_ids=ids)
    top_ups = db.ask("top_ups_of", TopUpRow, profile_ids=ids)
    lease_ids = json_ids(scope.lease_ids)
    # Only draws are bounded by limits.
    drawn_of = ids if scope.is_drawing else json_ids(())
    limits = db.ask("limits_of", LimitsRow, profile_ids=drawn_of)
    leases = db.ask("leases_of", Lease, lease_ids=lease_ids, profile_ids=drawn_of)
    looked_at = None if scope.is_drawing else lease_ids
    lots = db.ask("draws_of", Lot, profile_ids=ids, lease_ids=looked_at)
    parts.nodes.check(held)
    parts.books.know(purses_of(purses.rows(), grants.rows()))
    parts.zones.know(zones.rows())
    parts.limits.know(limits.rows())
    parts.top_ups.know(profile_ids, top_ups.rows())
    parts.draws.know(lots.rows(), leases.rows())
