"""Snapshots: what must hold at every instant, read in one transaction while everything goes on.

    used + held + drawn <= the limit

Held is part of drawn: what a process has drawn, it has for what it holds or may hold. Credits alone
may go beyond, by what was settled late: it is always charged, and what it held was free again. That
is counted row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from farebox.core.calendar import natural_window, zone_of
from farebox.core.instant import MS_PER_MINUTE, MS_PER_SECOND
from farebox.store.sqlite.database import open_reader
from tests.support.faces import SLUG

MICRO = 1_000_000

# Each row of the log, and whether it may have been settled late.
ROWS = """
with rows as (
  select r.profile_id, r.time_ms, r.credits_micro, c.at_ms >= r.time_ms + :hold_ms as is_late
  from requests r
  join commits c using (commit_id)
  join log_types t on t.log_type_id = r.log_type_id and t.slug = :slug
)
"""


class Watched(NamedTuple):
    """A workspace and the limits that it must keep; None where it has no such limit.

    `scope` is the user's whose requests count together, empty for all.
    """

    profile_id: int
    timezone: str
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    cap_micro: int | None = None
    scope: str = ""


class Snapshots:
    """Looks at a database while others write it."""

    def __init__(self, database: Path, watched: Sequence[Watched], hold_ms: int) -> None:
        self._reader = open_reader(database)
        self._db: apsw.Connection = self._reader.connection
        self._watched = watched
        self._hold_ms = hold_ms
        self.taken = 0
        # How near to the limit an hour ever came, and the most that was drawn.
        self.nearest = -(10**9)
        self.most_drawn_micro = 0

    def close(self) -> None:
        """Let the database go."""
        self._reader.close()

    def check(self) -> None:
        """Take one snapshot and check all of it."""
        self._db.execute("begin")
        try:
            for watched in self._watched:
                self._check_hour(watched)
                self._check_short(watched, "minute", watched.minute, MS_PER_MINUTE)
                self._check_short(watched, "second", watched.second, MS_PER_SECOND)
                self._check_cap(watched)
                self._check_drawn(watched)
                self._check_ledger(watched)
        finally:
            self._db.execute("rollback")
        self.taken += 1

    def hour_used(self, profile_id: int) -> int:
        """What of a workspace's open hour nobody can have any more."""
        (watched,) = (w for w in self._watched if w.profile_id == profile_id)
        return sum(self._hour(watched))

    def _check_hour(self, watched: Watched) -> None:
        if watched.hour is None:
            return
        used, drawn = self._hour(watched)
        self.nearest = max(self.nearest, used + drawn - watched.hour)
        assert used + drawn <= watched.hour, (watched, used, drawn)

    def _hour(self, watched: Watched) -> tuple[int, int]:
        """Requests used of the open hour, and drawn of it."""
        now_ms = self._one("select coalesce(max(at_ms), 0) from commits")
        start_ms, end_ms = natural_window("hour", now_ms, zone_of(watched.timezone))
        used = self._one(
            "select coalesce(sum(requests), 0) from quarters join keys using (key_id)"
            " where quarters.profile_id = :profile_id and quarters.channel = 'api'"
            " and (:scope = '' or user_id = :scope) and quarter between :first and :last",
            profile_id=watched.profile_id,
            scope=watched.scope,
            first=start_ms // (15 * MS_PER_MINUTE),
            last=end_ms // (15 * MS_PER_MINUTE) - 1,
        )
        drawn = self._drawn(watched, "hour", watched.scope, start_ms)
        return used, drawn

    def _check_short(self, watched: Watched, name: str, limit: int | None, window_ms: int) -> None:
        """No rollup is so fine: what is drawn is what is used, and the log must agree."""
        if limit is None:
            return
        worst = self._one(
            "select coalesce(max(units), 0) from (select sum(units) as units from draws"
            " where profile_id = :profile_id and name = :name group by start_ms, scope, channel)",
            profile_id=watched.profile_id,
            name=name,
        )
        assert worst <= limit, (watched, name, worst)
        worst = self._one(
            ROWS + "select coalesce(max(n), 0) from (select count(*) as n from rows"
            " where profile_id = :profile_id group by time_ms / :window_ms)",
            profile_id=watched.profile_id,
            window_ms=window_ms,
        )
        assert worst <= limit, (watched, name, worst)

    def _check_cap(self, watched: Watched) -> None:
        if watched.cap_micro is None:
            return
        used = self._one(
            "select coalesce(sum(credits_micro), 0) from quarters where profile_id = :profile_id"
            " and channel = 'api'",
            profile_id=watched.profile_id,
        )
        drawn = self._one(
            "select coalesce(sum(units), 0) from draws where profile_id = :profile_id"
            " and name = 'key_credits'",
            profile_id=watched.profile_id,
        )
        assert used + drawn <= watched.cap_micro + self._late_micro(watched), (watched, used)

    def _check_drawn(self, watched: Watched) -> None:
        """What the draws say of each grant, the ledger says."""
        draws = dict(
            self._db.execute(
                "select 'drawn:' || scope, sum(units) from draws"
                " where profile_id = ? and name = 'credits' group by 1 having sum(units) > 0",
                (watched.profile_id,),
            )
        )
        ledger = dict(
            self._db.execute(
                "select account, credits_micro - debits_micro from accounts"
                " where profile_id = ? and account like 'drawn:%' and credits_micro > debits_micro",
                (watched.profile_id,),
            )
        )
        assert draws == ledger, watched
        self.most_drawn_micro = max(self.most_drawn_micro, sum(draws.values()))

    def _check_ledger(self, watched: Watched) -> None:
        """Nothing is below zero but the overdraft, by what went beyond; nothing is lost."""
        balances: dict[str, int] = dict(
            self._db.execute(
                "select account, credits_micro - debits_micro from accounts where profile_id = ?",
                (watched.profile_id,),
            )
        )
        assert sum(balances.values()) == 0
        owed = -balances.pop("overdraft", 0)
        balances.pop("issued", 0)
        assert min(balances.values(), default=0) >= 0, balances
        assert 0 <= owed <= self._late_micro(watched), (watched, owed)

    def _late_micro(self, watched: Watched) -> int:
        return self._one(
            ROWS + "select coalesce(sum(credits_micro), 0) from rows"
            " where profile_id = :profile_id and is_late",
            profile_id=watched.profile_id,
        )

    def _drawn(self, watched: Watched, name: str, scope: str, start_ms: int) -> int:
        return self._one(
            "select coalesce(sum(units), 0) from draws where profile_id = :profile_id"
            " and name = :name and scope = :scope and channel = 'api' and start_ms = :start_ms",
            profile_id=watched.profile_id,
            name=name,
            scope=scope,
            start_ms=start_ms,
        )

    def _one(self, query: str, **values: int | str) -> int:
        if query.startswith(ROWS):
            values |= {"hold_ms": self._hold_ms, "slug": SLUG}
        ((number,),) = self._db.execute(query, values)
        assert isinstance(number, int)
        return number
