"""What the database says, read by statements of the tests' own."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from farebox.store.sqlite.database import SqliteDatabase


class Lot(NamedTuple):
    """A row of `draws`."""

    profile_id: int
    lease_id: int
    lot_id: int
    name: str
    scope: str
    channel: str
    start_ms: int
    end_ms: int | None
    units: int


class GrantRow(NamedTuple):
    """A grant with what is left of it, and what is drawn besides."""

    profile_id: int
    grant_id: int
    credits_micro: int
    priority: int
    created_at_ms: int
    expires_at_ms: int | None
    left_micro: int
    drawn_micro: int

    def is_live(self, now_ms: int) -> bool:
        """Whether it has not expired."""
        return self.expires_at_ms is None or self.expires_at_ms > now_ms


class Used(NamedTuple):
    """A row of the log."""

    profile_id: int
    user_id: str
    channel: str
    time_ms: int
    credits_micro: int


class Books(NamedTuple):
    """One snapshot."""

    lots: dict[tuple[int, int], Lot]
    live_leases: set[int]
    ended_leases: set[int]
    grants: dict[int, list[GrantRow]]
    accounts: dict[tuple[int, str], int]
    used: list[Used]
    change_id: int

    def owed_micro(self, profile_id: int) -> int:
        """What a workspace owes."""
        return -self.accounts.get((profile_id, "overdraft"), 0)

    def balance_micro(self, profile_id: int, now_ms: int) -> int:
        """What a workspace can spend, less what it owes."""
        live = [g for g in self.grants.get(profile_id, []) if g.is_live(now_ms)]
        return sum(g.left_micro + g.drawn_micro for g in live) - self.owed_micro(profile_id)

    def ended_micro(self, profile_id: int, now_ms: int) -> int:
        """What leases that have ended have drawn of a workspace's grants that are live."""
        live = {str(g.grant_id) for g in self.grants.get(profile_id, []) if g.is_live(now_ms)}
        return sum(
            lot.units
            for lot in self.lots.values()
            if lot.lease_id in self.ended_leases
            and (lot.profile_id, lot.name) == (profile_id, "credits")
            and lot.scope in live
        )


_LOTS = """select profile_id, lease_id, lot_id, name, scope, channel, start_ms, end_ms, units
from draws"""
_GRANTS = """select profile_id, grant_id, credits_micro, priority, created_at_ms, expires_at_ms
from grants order by profile_id, grant_id"""
_ACCOUNTS = "select profile_id, account, credits_micro - debits_micro from accounts"
_USED = """select r.profile_id, k.user_id, r.channel, r.time_ms, r.credits_micro
from requests r join keys k using (key_id)"""
_LEASES = "select lease_id, ended_at_ms from leases"


def read_books(reader: SqliteDatabase) -> Books:
    """A snapshot of what the gate is about."""
    execute = reader.connection.execute
    reader.begin_read()
    try:
        lots = {(row[1], row[2]): Lot._make(row) for row in execute(_LOTS)}
        leases = dict(execute(_LEASES))
        accounts = {(row[0], row[1]): row[2] for row in execute(_ACCOUNTS)}
        grants: dict[int, list[GrantRow]] = defaultdict(list)
        for row in execute(_GRANTS):
            left = accounts.get((row[0], f"grant:{row[1]}"), 0)
            drawn = accounts.get((row[0], f"drawn:{row[1]}"), 0)
            grants[row[0]].append(GrantRow._make((*row, left, drawn)))
        used = [Used._make(row) for row in execute(_USED)]
        change_id = reader.integer("changes_last")
    finally:
        reader.end_read()
    live = {lease_id for lease_id, ended in leases.items() if ended is None}
    return Books(lots, live, set(leases) - live, grants, accounts, used, change_id)
