"""Scopes: what the transactions of some messages are about, before anything is read.

Requests that were admitted by their sender's own draws are only added; whatever may charge a purse,
or take from another lease, needs its workspace alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from farebox.engine.draws import Draws
from farebox.engine.messages import Draw, Record, Void
from farebox.engine.read_ahead import Scope


def scope_of_records(records: Sequence[Record]) -> Scope:
    """That of requests to be recorded."""
    alone: set[int] = set()
    shared: set[int] = set()
    lease_ids: set[int] = set()
    for record in records:
        lease_ids.add(record.lease_id)
        own = set()
        for spend in record.spends:
            lease_ids.add(spend.lease_id)
            if spend.lease_id == record.lease_id:
                own.add(spend.query_log_id)
        for row in record.rows:
            is_added = not row.credits_micro or row.query_log_id in own
            (shared if is_added else alone).add(row.profile_id)
    return Scope(
        frozenset(alone),
        frozenset(shared - alone),
        frozenset(lease_ids),
        claims=tuple(row for record in records for row in record.rows),
    )


def scope_of_moves(moves: Sequence[Draw | Void], draws: Draws) -> Scope:
    """That of draws and voids."""
    alone: set[int] = set()
    shared: set[int] = set()
    lease_ids: set[int] = set()
    for move in moves:
        lease_ids.add(move.lease_id)
        if isinstance(move, Void):
            shared.add(move.profile_id)
            lease_ids.add(move.spend.lease_id)
            continue
        alone.update(want.profile_id for want in move.wants)
        if move.returns:
            alone |= draws.profiles_of(move.lease_id, (lot_id for lot_id, _ in move.returns))
    return Scope(frozenset(alone), frozenset(shared - alone), frozenset(lease_ids), is_drawing=True)


def in_order(moves: Sequence[Draw | Void]) -> list[Draw | Void]:
    """Draws as they came; voids by their identities, which all nodes take in one order."""
    draws: list[Draw | Void] = [move for move in moves if isinstance(move, Draw)]
    voids = [move for move in moves if isinstance(move, Void)]
    return draws + sorted(voids, key=lambda void: (void.profile_id, void.identity))
