"""What must be true after a run, by what callers were told and by what the database says."""

from __future__ import annotations

import json
from collections import Counter

from tests.fleet.scenario import Scenario
from tests.fleet.world import RECALL_SECONDS_MAX, Ran, World
from tests.support.faces import SLUG

LOG = """
select r.path, r.time_ms, k.user_id from requests r join log_types t using (log_type_id)
join keys k using (key_id) where t.slug = '{slug}' and r.profile_id in ({profiles})
"""


DRAWN = """
select coalesce(sum(units), 0) from draws where profile_id = {profile_id} and name = '{kind}'
"""
MICRO = 1_000_000


class Findings:
    """A run that has been looked at."""

    def __init__(self, world: World, scenario: Scenario, ran: Ran) -> None:
        self.scenario = scenario
        self.ran = ran
        self.history = ran.history
        profiles = f"{ran.customer.profile_id}, {world.free.profile_id}"
        rows = world.ground.rows(LOG.format(slug=SLUG, profiles=profiles))
        names = {line.name for line in self.history.lines}
        self.rows = [row for row in rows if row[0].removeprefix("/") in names]
        self._world = world

    @property
    def admitted(self) -> int:
        """How many were let through and not voided, of all scopes."""
        return sum(map(len, self.history.admitted().values()))

    @property
    def in_doubt(self) -> int:
        """How many calls had no answer, or a 503."""
        return sum(line.outcome == "unknown" for line in self.history.lines)

    def check(self) -> None:
        """What holds whatever has happened."""
        self.history.check_answers()
        self.history.check_log(Counter(row[0].removeprefix("/") for row in self.rows))
        if self.scenario.window_ms is None:
            most = self.history.most_at_once(
                self._world.hold_seconds, is_returning=self.scenario.is_returning
            )
            assert max(most.values(), default=0) <= self.scenario.limit, most
        else:
            assert self.fullest() <= self.scenario.limit

    def check_exact(self) -> None:
        """Without faults: to the request, and no refusal was wrong for long."""
        self.check()
        limit = self.scenario.limit
        if self.scenario.kind == "second":
            return
        if self.scenario.kind == "minute":
            assert self.fullest() == limit
            return
        if self.in_doubt:
            # A machine that is too busy loses leases, and with them what they had drawn.
            assert self.admitted + self.lost() == limit * self.scenario.scopes
            return
        admitted = {scope: len(names) for scope, names in self.history.admitted().items()}
        assert admitted == dict.fromkeys(range(self.scenario.scopes), limit), admitted
        _, seconds = self.history.early(limit)
        assert seconds <= RECALL_SECONDS_MAX, seconds

    def lost(self) -> int:
        """What is drawn and held by nobody, when all is used up."""
        ends = self.history.names("settle", "done") | self.history.names("void", "done")
        forgotten = self.history.names("authorize", "admitted") - ends
        kind, profile_id = self.scenario.kind, self.ran.customer.profile_id
        ((drawn,),) = self._world.ground.rows(DRAWN.format(kind=kind, profile_id=profile_id))
        unit = self.scenario.price * MICRO if kind == "credits" else 1
        return int(drawn) // unit - len(forgotten)

    def fullest(self) -> int:
        """The most that the log has in one window of a second or minute."""
        window_ms = self.scenario.window_ms
        assert window_ms is not None
        users = {user_id: n for n, user_id in enumerate(sorted({row[2] for row in self.rows}))}
        counted = Counter(
            (0 if self.scenario.is_shared else users[user_id], time_ms // window_ms)
            for path, time_ms, user_id in self.rows
            if "." not in path
        )
        return max(counted.values(), default=0)

    def told(self) -> str:
        """The run in a line."""
        early, early_seconds = (
            (0, 0.0) if self.scenario.window_ms else self.history.early(self.scenario.limit)
        )
        seen = {
            "seed": self.scenario.seed,
            "kind": self.scenario.kind,
            "limit": self.scenario.limit,
            "scopes": self.scenario.scopes,
            "admitted": self.admitted,
            "early": early,
            "early_ms": round(early_seconds * 1000),
            "in_doubt": self.in_doubt,
            "seconds": round(self.ran.seconds, 1),
            "outcomes": self.history.outcomes(),
        }
        if self.scenario.window_ms:
            seen["fullest"] = self.fullest()
        return json.dumps(seen)
