"""Recalls: workspaces that somebody has run short in while other processes had drawn of the same.

A recall is told to each process of this node with its next renewal, once, and through the database
to other nodes. Whoever is told gives back what lies idle there. So a refusal while units lie idle
elsewhere can repeat for one recall at most.
"""

from __future__ import annotations

from farebox.store.contract import Writer

# The same workspace isn't recalled more often.
AGAIN_MS = 200
# By then everybody who is there has renewed.
TOLD_WITHIN_MS = 2_000


class Recalls:
    """Those that this node's processes are told of."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        # By workspace: when, and by which lease; 0 for one of another node.
        self._asked: dict[int, tuple[int, int]] = {}
        self._told_ms: dict[int, int] = {}

    def ask(self, profile_id: int, lease_id: int, now_ms: int) -> None:
        """Recall what others have drawn of a workspace; inside a transaction."""
        at_ms, _ = self._asked.get(profile_id, (-AGAIN_MS, 0))
        if now_ms - at_ms < AGAIN_MS:
            return
        self._asked[profile_id] = (now_ms, lease_id)
        if not self._db.is_alone:
            self._db.send("recall_put", profile_id=profile_id, at_ms=now_ms)

    def note(self, profile_ids: list[int], now_ms: int) -> None:
        """Take what another node has recalled."""
        self._asked.update(dict.fromkeys(profile_ids, (now_ms, 0)))

    def told(self, lease_id: int, now_ms: int) -> list[int]:
        """What the process of a lease hasn't been told yet."""
        if not self._asked:
            return []
        since_ms = self._told_ms.get(lease_id, now_ms - TOLD_WITHIN_MS)
        self._told_ms[lease_id] = now_ms
        return sorted(
            profile_id
            for profile_id, (at_ms, by) in self._asked.items()
            if at_ms >= since_ms and by != lease_id
        )

    def forget_old(self, now_ms: int) -> None:
        """Forget what everybody was told."""
        before_ms = now_ms - TOLD_WITHIN_MS
        self._asked = {p: asked for p, asked in self._asked.items() if asked[0] >= before_ms}
        self._told_ms = {lease: at for lease, at in self._told_ms.items() if at >= before_ms}
