"""Scenarios: what is limited, to how much, and what callers do; all drawn by a seed."""

from __future__ import annotations

import random
from typing import Any, Literal, NamedTuple

import msgspec

from tests.fleet.callers import Mix, Seat
from tests.support.faces import SLUG, Customer, Shop

Kind = Literal["hour", "day", "month", "credits", "minute", "second"]
WINDOWS: tuple[Kind, ...] = ("hour", "day", "month")
KINDS: tuple[Kind, ...] = (*WINDOWS, *WINDOWS, "credits", "credits", "minute", "second")
LIMITS = (10, 1_000)
# In how many scenarios requests may end at another node than they began at. Credits are charged as
# reported usage there, and held besides until the hold ends: then not all of them can be had.
ROAMING, ROAMING_CREDITS = 0.5, 0.5
RATES = {"minute": "requests_per_minute", "second": "requests_per_second"}
# A window that ends in mid-run begins anew; where it can't be told when, sums are over windows.
SHORT: dict[Kind, int] = {"minute": 60_000, "second": 1_000}


class Scenario(NamedTuple):
    """A limit and what comes at it. `scopes` have it each."""

    seed: int
    kind: Kind
    limit: int
    price: int
    is_shared: bool
    users: int
    mix: Mix

    @property
    def scopes(self) -> int:
        """How many have the limit for themselves."""
        return 1 if self.is_shared or self.kind == "credits" else self.users

    @property
    def is_returning(self) -> bool:
        """Whether a hold that expires gives back what it held."""
        return self.kind == "credits"

    @property
    def window_ms(self) -> int | None:
        """How long a window is that is counted in none of the sums."""
        return SHORT.get(self.kind)

    def customer(self, shop: Shop) -> tuple[Customer, list[Seat]]:
        """A workspace with this limit, and its seats."""
        # A limit is one licence's, and a workspace that shares has as many as users.
        one = self.limit // self.users if self.is_shared else self.limit
        plan: dict[str, Any] = {}
        if self.kind == "credits":
            plan = {"credits_per_month": self.limit * self.price, "prices": {SLUG: self.price}}
        elif self.kind in RATES:
            plan = {RATES[self.kind]: one}
        else:
            plan = {"limits": {"api": {self.kind: one}}}
        customer = shop.customer(plan, is_shared=self.is_shared, users=self.users)
        is_one = self.scopes == 1
        seats = [Seat(seat.key, 0 if is_one else n) for n, seat in enumerate(customer.seats)]
        return customer, seats


def drawn(seed: int, *, limits: tuple[int, ...] = LIMITS, has_faults: bool = False) -> Scenario:
    """The scenario of a seed."""
    chance = random.Random(seed)
    # So many more can't be asked for in a second or a minute.
    kind = chance.choice([k for k in KINDS if k not in SHORT or max(limits) <= LIMITS[-1]])
    is_shared = chance.random() < 0.7
    users = chance.choice((1, 2, 5))
    if kind in SHORT:
        # What is voided or forgotten is in no log, and these are counted by the log alone.
        mix = Mix()
    elif has_faults:
        mix = Mix(0.6)
    else:
        mix = chance.choice((Mix(), Mix(0.7, 0.1), Mix(0.4, 0.5), Mix(0.9)))
    price = chance.choice((1, 3))
    roaming = ROAMING_CREDITS if kind == "credits" else ROAMING
    mix = msgspec.structs.replace(mix, is_roaming=chance.random() < roaming)
    limit = chance.choice(limits)
    if has_faults:
        # Slow enough that there is something left to be had all the while.
        settled = mix.settle if limit > LIMITS[0] or kind in SHORT else 0.2
        voided = min(mix.void, 0.0) if kind in SHORT else 0.9 - settled
        mix = Mix(settled, voided, 0.1, think_seconds=0.3, is_roaming=mix.is_roaming)
    return Scenario(seed, kind, limit, price, is_shared, users, mix)
