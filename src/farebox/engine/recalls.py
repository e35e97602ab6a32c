"""Recalls: workspaces that somebody has run short in while other processes had drawn of the same.

A recall is told to each process of this node with its next renewal, once, and through the database
to other nodes. Whoever is told gives back what lies idle there. So a refusal while units lie idle
elsewhere can repeat for one recall at most.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.store.contract import Writer

# The same workspace isn't recalled more often.
AGAIN_MS = 200
# By then everybody who is there has renewed, also where a clock was taken ahead.
TOLD_WITHIN_MS = 10_000
# In the database they are kept longer, for nodes whose renewals are late.
KEPT_MS = 60_000


class _Asked(NamedTuple):
    """The number that a recall has here, when it was, and by which lease; 0 is another node's."""

    number: int
    at_ms: int
    lease_id: int


class Recalls:
    """Those that this node's processes are told of."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._last = 0
        self._asked: dict[int, _Asked] = {}
        # In the open transaction: when, and by which lease.
        self._asking: dict[int, tuple[int, int]] = {}
        # The last that each lease's process was told, and when.
        self._told: dict[int, tuple[int, int]] = {}
        self._forgot_ms = 0

    def ask(self, profile_id: int, lease_id: int, now_ms: int) -> None:
        """Recall what others have drawn of a workspace; inside a transaction."""
        asked = self._asked.get(profile_id)
        if asked is not None and now_ms - asked.at_ms < AGAIN_MS:
            return
        if profile_id not in self._asking:
            self._asking[profile_id] = (now_ms, lease_id)
            if not self._db.is_alone:
                self._db.send("recall_put", profile_id=profile_id)

    def committed(self) -> None:
        """What was asked in a transaction is told from now on."""
        for profile_id, (at_ms, lease_id) in self._asking.items():
            self._keep(profile_id, at_ms, lease_id)
        self._asking = {}

    def forget(self) -> None:
        """What was asked was undone."""
        self._asking = {}

    def note(self, profile_ids: list[int], now_ms: int) -> None:
        """Take what another node has recalled."""
        for profile_id in profile_ids:
            self._keep(profile_id, now_ms, 0)

    def told(self, lease_id: int, now_ms: int) -> list[int]:
        """What the process of a lease hasn't been told yet."""
        if not self._asked:
            return []
        last, _ = self._told.get(lease_id, (0, 0))
        self._told[lease_id] = (self._last, now_ms)
        return sorted(
            profile_id
            for profile_id, asked in self._asked.items()
            if asked.number > last and asked.lease_id != lease_id
        )

    def forget_old(self, now_ms: int) -> None:
        """Forget what everybody was told; in no transaction."""
        before_ms = now_ms - TOLD_WITHIN_MS
        self._asked = {p: asked for p, asked in self._asked.items() if asked.at_ms >= before_ms}
        self._told = {lease: told for lease, told in self._told.items() if told[1] >= before_ms}
        if not self._db.is_alone and self._forgot_ms < before_ms:
            self._forgot_ms = now_ms
            self._db.execute("recalls_forget", kept_ms=KEPT_MS)

    def _keep(self, profile_id: int, at_ms: int, lease_id: int) -> None:
        self._last += 1
        self._asked[profile_id] = _Asked(self._last, at_ms, lease_id)
