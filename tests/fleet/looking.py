"""Looks at the database from outside while a fleet runs: used and drawn are never too many."""

from __future__ import annotations

from contextlib import suppress

import psycopg

from tests.fleet.ground import Ground
from tests.fleet.scenario import SHORT, Scenario
from tests.support.faces import Customer

MICRO = 1_000_000
# In one statement, and so of one instant.
WINDOW = """
select (select coalesce(sum(requests), 0) from quarters
  where profile_id = {profile_id} and channel = 'api')
+ (select coalesce(sum(units), 0) from draws where profile_id = {profile_id} and name = '{kind}')
"""
CREDITS = """
select coalesce(sum(debits_micro), 0) - coalesce(sum(credits_micro), 0) from accounts
where profile_id = {profile_id} and account = 'overdraft'
"""
FINE = """
select coalesce(max(units), 0) from (select sum(units) as units from draws
  where profile_id = {profile_id} and name = '{kind}' group by start_ms, scope) as windows
"""


class Looking:
    """At one workspace."""

    def __init__(self, ground: Ground, scenario: Scenario, customer: Customer) -> None:
        self._ground = ground
        self._scenario = scenario
        kind = scenario.kind
        query = CREDITS if kind == "credits" else FINE if kind in SHORT else WINDOW
        self._query = query.format(profile_id=customer.profile_id, kind=kind)
        self.looks = 0
        self.nearest: int | None = None

    def look(self) -> None:
        """Look once, if the database can be asked."""
        with suppress(psycopg.OperationalError):
            ((used,),) = self._ground.rows(self._query)
            self.looks += 1
            used = int(used)
            over = used - self.limit
            self.nearest = over if self.nearest is None else max(over, self.nearest)
            assert over <= 0, (self._scenario, used)

    @property
    def limit(self) -> int:
        """What may be used and drawn; of credits, what may be owed."""
        if self._scenario.kind == "credits":
            return 0
        in_fine = self._scenario.kind in SHORT
        return self._scenario.limit * (1 if in_fine else self._scenario.scopes)
