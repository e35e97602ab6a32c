"""Holds: what has ended takes no room until its time."""

from __future__ import annotations

import gc

from farebox.core.instant import MS_PER_MINUTE
from farebox.engine.holds import Ask, Hold, Holds

HOLDS = 20_000


def ask(number: int) -> Ask:
    identity = number.to_bytes(4, "big")
    return Ask(1, "key", "user", "", "api", 1, 0, "", 0, identity, None, MS_PER_MINUTE)


def kept() -> int:
    gc.collect()  # what other tests have left is not to go in between
    return sum(isinstance(known, Hold) for known in gc.get_objects())


def fill(holds: Holds) -> list[Hold]:
    """Add many holds, most of which end at once; those that don't."""
    open_ones = []
    for number in range(HOLDS):
        hold = Hold(ask(number), number, 1, number)
        holds.add(hold)
        if number % 100:
            holds.close(hold)
        else:
            open_ones.append(hold)
    return open_ones


def test_holds_that_have_ended_are_not_kept_until_they_would_expire() -> None:
    before, holds = kept(), Holds()
    open_ones = fill(holds)
    assert len(holds) == len(open_ones)
    assert kept() - before < HOLDS // 4
    assert holds.expired(HOLDS + MS_PER_MINUTE) == open_ones
    assert (len(holds), kept() - before) == (0, len(open_ones))
