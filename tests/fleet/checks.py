"""What must be true after a run, by what callers were told and by what the database says."""

from __future__ import annotations

import json
from collections import Counter
from typing import NamedTuple

from tests.fleet.scenario import Scenario
from tests.fleet.world import RECALL_SECONDS_MAX, Ran, World
from tests.support.faces import SLUG
from tests.support.recorders import until

LOG = """
select r.path, r.time_ms, k.user_id, r.credits_micro, r.profile_id
from requests r join log_types t using (log_type_id)
join keys k using (key_id) where t.slug = '{slug}' and r.profile_id in ({profiles})
"""


DRAWN = """
select coalesce(sum(units), 0) from draws where profile_id = {profile_id} and name = '{kind}'
"""
MICRO = 1_000_000
REPORTED_SECONDS_MAX = 10.0


class Logged(NamedTuple):
    """A row of the log."""

    path: str
    time_ms: int
    user_id: str
    credits_micro: int
    profile_id: int

    @property
    def name(self) -> str:
        """The id that its caller gave it."""
        return self.path.removeprefix("/")


class Findings:
    """A run that has been looked at."""

    def __init__(self, world: World, scenario: Scenario, ran: Ran) -> None:
        self.scenario = scenario
        self.ran = ran
        self.history = ran.history
        profiles = f"{ran.customer.profile_id}, {world.free.profile_id}"
        rows = map(Logged._make, world.ground.rows(LOG.format(slug=SLUG, profiles=profiles)))
        names = {line.name for line in self.history.lines}
        self.rows = [row for row in rows if row.name in names]
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
        self.history.check_log(Counter(row.name for row in self.rows))
        self.check_credits()
        self.check_reports()
        if self.scenario.window_ms is None:
            most = self.history.most_at_once(
                self._world.hold_seconds, is_returning=self.scenario.is_returning
            )
            assert max(most.values(), default=0) <= self.scenario.limit, most
        else:
            assert self.fullest() <= self.scenario.limit

    def check_credits(self) -> None:
        """Each request cost what its log type does."""
        price = self.scenario.price if self.scenario.kind == "credits" else 1
        ours = self.ran.customer.profile_id
        prices = {ours: price * MICRO, self._world.free.profile_id: MICRO}
        wrong = [row for row in self.rows if row.credits_micro != prices[row.profile_id]]
        assert not wrong, wrong[:3]

    def check_reports(self) -> None:
        """Every node tells the same of it, to the request."""
        customer, ours = self.ran.customer, self.ran.customer.profile_id
        micro = [row.credits_micro for row in self.rows if row.profile_id == ours]
        logged = (len(micro), sum(micro) / MICRO)
        for node in self._world.nodes:
            until(
                lambda node=node: self._world.shop.at(node).breakdown(customer) == logged,  # type: ignore[misc]
                seconds_max=REPORTED_SECONDS_MAX,
            )

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
        ours = self.ran.customer.profile_id
        counted = Counter(
            ("" if self.scenario.is_shared else row.user_id, row.time_ms // window_ms)
            for row in self.rows
            if row.profile_id == ours
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
