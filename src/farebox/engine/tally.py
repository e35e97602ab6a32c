"""The tally: what the reservations of all processes hold of each workspace's credits.

Each process tells with its renewals what has changed of its own, and is told what has changed of
the others of its node; to other nodes goes the sum of all of them. It is kept in memory alone, and
for leases that are live: what one that has ended still holds is what it has drawn. A message has
room for so much of it; what has no room waits for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

# Workspaces in one message.
TOLD_MAX = 1_000
# Who has not renewed for so long is told all of it when it does.
LISTENS_MS = 10_000

# Workspaces and micro-credits.
Holdings = list[tuple[int, int]]


class _Listener(NamedTuple):
    """What a process has not been told yet, in the order of its change; and when it renewed."""

    news: dict[int, None]
    renewed_ms: int


class Tally:
    """That of one node. What is kept here is about the processes, and outlives a rollback."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, int]] = {}
        self._sums: dict[int, int] = {}
        self._listeners: dict[int, _Listener] = {}
        self._for_nodes: dict[int, None] = {}

    def hear(self, lease_id: int, holdings: Holdings) -> None:
        """Take what a process tells of its reservations: those that have changed."""
        if holdings:
            held = self._held.setdefault(lease_id, {})
            for profile_id, micro in holdings:
                self._change(lease_id, profile_id, micro - held.get(profile_id, 0))
                if micro:
                    held[profile_id] = micro
                else:
                    held.pop(profile_id, None)

    def tell(self, lease_id: int, now_ms: int) -> tuple[Holdings, bool]:
        """What others hold where it has changed, and whether this is the first that it is told."""
        listener = self._listeners.get(lease_id)
        news = dict.fromkeys(self._sums) if listener is None else listener.news
        self._listeners[lease_id] = _Listener(news, now_ms)
        own = self._held.get(lease_id, {})
        return [(p, self._sums.get(p, 0) - own.get(p, 0)) for p in _taken(news)], listener is None

    def tell_nodes(self) -> Holdings:
        """What this node holds where it has changed, for the others."""
        return [(p, self._sums.get(p, 0)) for p in _taken(self._for_nodes)]

    def end(self, lease_ids: Iterable[int]) -> None:
        """Leases have ended: what they hold is for the books to say."""
        for lease_id in lease_ids:
            self._listeners.pop(lease_id, None)
            for profile_id, micro in self._held.pop(lease_id, {}).items():
                self._change(lease_id, profile_id, -micro)

    def forget_old(self, now_ms: int) -> None:
        """Forget who listens no more, and drew nothing that would end with its lease."""
        before_ms = now_ms - LISTENS_MS
        gone = [at for at, one in self._listeners.items() if one.renewed_ms < before_ms]
        for lease_id in gone:
            del self._listeners[lease_id]

    def _change(self, lease_id: int, profile_id: int, more_micro: int) -> None:
        if not more_micro:
            return
        sum_micro = self._sums.pop(profile_id, 0) + more_micro
        if sum_micro:
            self._sums[profile_id] = sum_micro
        self._for_nodes[profile_id] = None
        for other, listener in self._listeners.items():
            if other != lease_id:
                listener.news[profile_id] = None


def _taken(news: dict[int, None]) -> list[int]:
    """The oldest of some news, which are told now."""
    taken = list(islice(news, TOLD_MAX))
    for profile_id in taken:
        del news[profile_id]
    return taken
