"""Locks of transactions: advisory ones, taken first, in one order for everyone, until the end.

A workspace's lock has its number. Below zero are the database's own: the fleet's first of all,
then those that are taken later in a transaction, while nothing else is waited for.
"""

from __future__ import annotations

from farebox.store.contract import Locks

FLEET = -1
# In SQL: the changes' lock is -2, the months' -3, the migrations' -4.
_SHARED, _EXCLUSIVE = 0, 1


def lock_rows(locks: Locks) -> list[tuple[int, int]]:
    """The locks to be taken, each with its kind, in the order of taking."""
    exclusive = dict.fromkeys(locks.exclusive, _EXCLUSIVE)
    wanted = {**dict.fromkeys(locks.shared, _SHARED), **exclusive}
    fleet = (FLEET, _EXCLUSIVE if locks.is_alone else _SHARED)
    return [fleet, *sorted(wanted.items())]
