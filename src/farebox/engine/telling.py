"""Telling: what a process says of its reservations' credits, and what it has heard of others'.

What it has heard is of live leases at its own node. The rest stands in the database: other nodes'
sums, and what leases that have ended have drawn, which is held until their reservations are over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from farebox.engine.stocks import Wallet
from farebox.engine.tally import TOLD_MAX, Holdings


class HeldHere(NamedTuple):
    """What reservations of a workspace hold at a node, as its processes know; 0 is no node yet."""

    micro: int
    node_id: int


# What tells it of a workspace: a gatekeeper's `held`.
HeldOf = Callable[[int], HeldHere]


def nothing_held(_profile_id: int) -> HeldHere:
    """For those who only ask what moved."""
    return HeldHere(0, 0)


class Telling:
    """One process's, whatever lease it has."""

    def __init__(self) -> None:
        self._elsewhere: dict[int, int] = {}
        self._changed: list[int] = []

    def elsewhere_micro(self, profile_id: int) -> int:
        """What other processes of this node hold."""
        return self._elsewhere.get(profile_id, 0)

    def look(self, wallets: Mapping[int, Wallet]) -> None:
        """Note what has changed, once all is told that had; to be asked now and then."""
        if not self._changed:
            self._changed = [p for p, w in wallets.items() if w.held_micro != w.told_micro]

    def take(self, wallets: Mapping[int, Wallet]) -> Holdings:
        """What goes with the next message."""
        if not self._changed:
            return []
        taken, self._changed = self._changed[:TOLD_MAX], self._changed[TOLD_MAX:]
        told = []
        for profile_id in taken:
            # One that holds nothing any more, and of which nothing was told, may have been let go.
            wallet = wallets.get(profile_id)
            if wallet is not None:
                wallet.told_micro = wallet.held_micro
                told.append((profile_id, wallet.held_micro))
        return told

    def hear(self, holdings: Holdings, *, is_first: bool) -> None:
        """Take what others hold; with the `is_first` of a lease, what was known before is over."""
        if is_first:
            self._elsewhere.clear()
        for profile_id, micro in holdings:
            if micro:
                self._elsewhere[profile_id] = micro
            else:
                self._elsewhere.pop(profile_id, None)

    def part(self, wallets: Mapping[int, Wallet]) -> None:
        """A new lease begins: what the old one holds is another's, until that is told."""
        self._changed = []
        for profile_id, wallet in wallets.items():
            if wallet.held_micro:
                self._elsewhere[profile_id] = self.elsewhere_micro(profile_id) + wallet.held_micro
