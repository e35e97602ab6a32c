"""Nodes: the recorders that have a database open, and what becomes of one that has gone.

A node renews a few times a second where others write too. One that another node has not seen renew
for a while, by its own boot clock, is ended, and its leases are adopted: over for whoever drew by
them, and the adopter's to release. Every transaction holds its node, so that none commits that
began before the end. Where nobody else writes, whoever opens the database adopts everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farebox.core.instant import MS_PER_SECOND
from farebox.engine.draws import Lease
from farebox.engine.ends import EndRow
from farebox.engine.entropy import Entropy
from farebox.engine.leases import SILENT_MS
from farebox.engine.tally import Holdings
from farebox.store.contract import Locks, Pending, StoreFaultError, Writer

RENEW_MS = 250
NODE_ID_BITS = 62
# A recall that was committed later than another may be so much older.
RECALL_OVERLAP_MS = 2_000
# Beyond the database server's clock, and what was recorded already.
CLOCK_AHEAD_MS_MAX = 30_000
# The renewals of a node that has left.
LEFT = -1


class NodeRow(NamedTuple):
    """A node as it has told last."""

    node_id: int
    renewals: int
    now_ms: int


class RecallRow(NamedTuple):
    """A workspace that somebody has run short in."""

    profile_id: int
    at_ms: int


class Renewal(NamedTuple):
    """What a renewal brings: others' clocks, what they recall and have ended, and who has gone."""

    ahead_ms: int
    recalled: list[int]
    ended: Sequence[EndRow]
    silent: list[NodeRow]


class _Seen(NamedTuple):
    renewals: int
    since_ms: int


class _ClockRow(NamedTuple):
    server_ms: int
    high_water_ms: int


class _NodeId(NamedTuple):
    node_id: int


class Nodes:
    """This node, and what it has seen of the others."""

    def __init__(self, db: Writer, entropy: Entropy) -> None:
        self._db = db
        self._entropy = entropy
        self.node_id = 0
        self._seen: dict[int, _Seen] = {}
        self._recalls_ms = 0
        self._recalled: set[RecallRow] = set()
        self._looked_ms = 0
        self._is_first = db.is_alone

    @property
    def is_first(self) -> bool:
        """Whether this node does what one of all must do."""
        return self._is_first

    def enter(self, gone_id: int, now_ms: int) -> list[Lease]:
        """Be a node from now on; what it has to release.

        `gone_id` is the node that this recorder was before; where nobody else writes, all others
        have gone.
        """
        db = self._db
        db.begin(Locks(is_alone=True))
        bounds = db.ask("clock_bounds", _ClockRow)
        others = db.rows("nodes_all", NodeRow)
        # Who it was before is nobody to agree with.
        with_it = [node for node in others if node.node_id != gone_id]
        self._check_clock(bounds.rows(), with_it, now_ms)
        while not self.node_id or self.node_id in {node.node_id for node in others}:
            self.node_id = self._entropy.random_below(2**NODE_ID_BITS) + 1
        adopted: list[Lease] = []
        for node in others:
            if db.is_alone or node.node_id == gone_id or node.renewals == LEFT:
                adopted += self._adopt(node, now_ms) or []
        db.one("node_enter", _NodeId, node_id=self.node_id, now_ms=now_ms)
        adopted += db.rows("leases_adopt_left", Lease, node_id=self.node_id, now_ms=now_ms)
        db.commit()
        db.hold_node(self.node_id)
        return adopted

    def ask(self) -> Pending[_NodeId]:
        """Hold this node until the end of the transaction; for `check`."""
        return self._db.ask("node_hold", _NodeId, node_id=self.node_id)

    def check(self, held: Pending[_NodeId]) -> None:
        """Go on only while this is a node.

        Raises:
            StoreFaultError: another node has ended this one.
        """
        if not held.rows():
            self._gone()

    def renew(self, now_ms: int, boot_ms: int, holdings: Holdings) -> Renewal:
        """Tell the others that this node is there, and look at them; in no transaction.

        `holdings` is what its processes' reservations hold where that has changed.

        Raises:
            StoreFaultError: another node has ended this one.
        """
        self._shift(boot_ms)
        bounds = self._db.ask("clock_bounds", _ClockRow)
        renewed = self._db.ask("node_renew", _NodeId, node_id=self.node_id, now_ms=now_ms)
        self._tell(holdings)
        asked = self._db.ask("nodes_all", NodeRow)
        recalls = self._db.ask("recalls_since", RecallRow, since_ms=self._recalls_ms)
        ends = self._db.ask("ends_elsewhere_of_node", EndRow, node_id=self.node_id)
        if not renewed.rows():
            self._gone()
        others = [node for node in asked.rows() if node.node_id != self.node_id]
        self._check_clock(bounds.rows(), others, now_ms)
        silent = [node for node in others if self._is_silent(node, boot_ms)]
        there = {node.node_id for node in others}
        self._seen = {node_id: seen for node_id, seen in self._seen.items() if node_id in there}
        self._is_first = all(n.node_id > self.node_id for n in others if n not in silent)
        recalled = [recall for recall in recalls.rows() if recall not in self._recalled]
        if recalled:
            # One that is committed later may be a little older.
            self._recalls_ms = recalled[-1].at_ms - RECALL_OVERLAP_MS
            kept = (recall for recall in self._recalled if recall.at_ms > self._recalls_ms)
            self._recalled = {*kept, *recalled}
        ahead_ms = max((node.now_ms for node in others), default=0)
        recalled_ids = [recall.profile_id for recall in recalled]
        return Renewal(ahead_ms, recalled_ids, ends.rows(), silent)

    def renew_with(self, now_ms: int) -> None:
        """Renew with a commit: a transaction may take longer than others wait for a renewal."""
        if not self._db.is_alone:
            self._db.ask("node_renew", _NodeId, node_id=self.node_id, now_ms=now_ms)

    def leave(self) -> None:
        """Be no node any more: nobody has to wait until this one is silent."""
        self._db.execute("node_leave", node_id=self.node_id)

    def adopt(self, gone: NodeRow, now_ms: int) -> list[Lease] | None:
        """End a silent node; the leases it had. None where it has renewed or another ends it."""
        self._db.begin()
        self.check(self.ask())
        adopted = self._adopt(gone, now_ms)
        self._db.commit()
        self._seen.pop(gone.node_id, None)
        return adopted

    def _adopt(self, gone: NodeRow, now_ms: int) -> list[Lease] | None:
        if not self._db.execute("node_end", node_id=gone.node_id, renewals=gone.renewals):
            return None
        return self._db.rows(
            "leases_adopt", Lease, node_id=self.node_id, gone_id=gone.node_id, now_ms=now_ms
        )

    def _tell(self, holdings: Holdings) -> None:
        """Have the others see what reservations hold here."""
        held = [(self.node_id, *one) for one in holdings if one[1]]
        free = [(self.node_id, profile_id) for profile_id, micro in holdings if not micro]
        self._db.send_many("node_holdings_put", held)
        self._db.send_many("node_holdings_drop", free)

    def _shift(self, boot_ms: int) -> None:
        """Where this node itself was held up, it has seen nobody renew."""
        gap_ms = boot_ms - (self._looked_ms or boot_ms)
        self._looked_ms = boot_ms
        if gap_ms > SILENT_MS // 4:
            for node_id, seen in self._seen.items():
                self._seen[node_id] = seen._replace(since_ms=seen.since_ms + gap_ms)

    def _check_clock(
        self, bounds: Sequence[_ClockRow], others: Sequence[NodeRow], now_ms: int
    ) -> None:
        """Refuse to go on with a clock far ahead: it would end others' windows and periods."""
        latest_ms = max(bounds[0])
        is_with_others = any(node.renewals != LEFT for node in others)
        if is_with_others and not self._db.is_alone and now_ms > latest_ms + CLOCK_AHEAD_MS_MAX:
            ahead_seconds = (now_ms - latest_ms) // MS_PER_SECOND
            message = f"this machine's clock is {ahead_seconds} s ahead of the database server's"
            raise StoreFaultError(message)

    def _is_silent(self, node: NodeRow, boot_ms: int) -> bool:
        if node.renewals == LEFT:
            return True
        seen = self._seen.get(node.node_id)
        if seen is None or seen.renewals != node.renewals:
            self._seen[node.node_id] = _Seen(node.renewals, boot_ms)
            return False
        return boot_ms - seen.since_ms > SILENT_MS

    def _gone(self) -> None:
        message = "this node was silent for too long, and another one has ended it"
        raise StoreFaultError(message)
