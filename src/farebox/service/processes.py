"""Processes: the nodes and leases of the whole fleet, and what they have drawn to admit by."""

from __future__ import annotations

from typing import NamedTuple

from farebox.service.reading import snapshot
from farebox.store.contract import Reader

LEASES_MAX = 1_000
WORKSPACES_MAX = 10


class Node(NamedTuple):
    """A recorder that has the database open. One that is alone doesn't renew: 0 renewals."""

    node_id: int
    entered_at_ms: int
    renewals: int
    renewed_at_ms: int


class LeaseDraws(NamedTuple):
    """A process that draws, or what one that has ended still holds back.

    Units are requests of the open windows that are drawn and not used yet.
    """

    lease_id: int
    node_id: int | None
    opened_at_ms: int
    ended_at_ms: int | None
    hour_units: int
    day_units: int
    month_units: int
    credits_micro: int


class WorkspaceDraws(NamedTuple):
    """What is drawn of a workspace; `held_back_micro` by processes that have ended."""

    profile_id: int
    name: str
    hour_units: int
    day_units: int
    month_units: int
    credits_micro: int
    held_back_micro: int


class Processes(NamedTuple):
    """All of it. Of the workspaces those that most credits are drawn of."""

    nodes: list[Node]
    leases: list[LeaseDraws]
    workspaces: list[WorkspaceDraws]

    @property
    def drawn_micro(self) -> int:
        """The credits that living processes have drawn and not used."""
        return sum(lease.credits_micro for lease in self.leases if lease.ended_at_ms is None)

    @property
    def held_back_micro(self) -> int:
        """The credits that processes had drawn which have ended."""
        return sum(lease.credits_micro for lease in self.leases if lease.ended_at_ms is not None)


def read_processes(reader: Reader, now_ms: int) -> Processes:
    """The fleet at an instant."""
    with snapshot(reader):
        return Processes(
            reader.rows("fleet_nodes", Node),
            reader.rows("fleet_leases", LeaseDraws, now_ms=now_ms, count=LEASES_MAX),
            reader.rows("fleet_draws", WorkspaceDraws, now_ms=now_ms, count=WORKSPACES_MAX),
        )
