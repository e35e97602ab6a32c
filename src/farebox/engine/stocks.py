"""Stocks: what a process has drawn and not taken yet, of each limit and of each grant.

They are plain counters: whoever takes has looked at all of them first. A stock that is no longer
current (its limit was lifted, its lease has ended) takes nothing back; what returns to it goes
back to where it was drawn from.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

from farebox.core.admission import LimitName, LimitState
from farebox.core.ledger import NEVER_MS
from farebox.engine.messages import GrantSupply, LotSupply

# Windows that no rollup counts: what was drawn of them is what was used of them.
FINE_WINDOWS = frozenset({"second", "minute"})
# What others have drawn and not taken is back by then: they are told with their next renewal.
RECALL_WAIT_MS = 600
RECALL_AGAIN_MS = 3_000
NOT_CHECKED_MS = -(10**9)
# Who was told gives back what becomes free for a while longer.
WANTED_MS = 3_000


class Recall:
    """What other processes had drawn of a limit when nothing was left, and how long to wait for it.

    They are told to give back what lies idle. What they hold doesn't come: so it is waited for
    once, and then a while later only.
    """

    __slots__ = ("again_ms", "elsewhere", "until_ms")

    def __init__(self) -> None:
        self.elsewhere = 0
        self.until_ms = 0
        self.again_ms = 0

    def note(self, elsewhere: int, now_ms: int) -> None:
        """Take what the recorder told, with what could be drawn."""
        self.elsewhere = elsewhere
        if not elsewhere:
            self.until_ms = self.again_ms = 0
        elif now_ms >= self.again_ms:
            self.until_ms = now_ms + RECALL_WAIT_MS
            self.again_ms = now_ms + RECALL_AGAIN_MS


class Stock:
    """Units of one limit in one window. `left` is what nobody has drawn, as it was told last."""

    __slots__ = (
        "checked_ms",
        "end_ms",
        "free",
        "is_current",
        "left",
        "limit",
        "lot_id",
        "low",
        "name",
        "recall",
        "start_ms",
        "wanted_until_ms",
    )

    def __init__(self, supply: LotSupply, now_ms: int) -> None:
        self.name: LimitName = supply.name
        self.start_ms = supply.start_ms
        self.end_ms = NEVER_MS if supply.end_ms is None else supply.end_ms
        self.lot_id = 0
        self.limit = 0
        self.free = 0
        self.left = 0
        self.low = 0
        self.is_current = True
        self.recall = Recall()
        self.wanted_until_ms = 0
        self.fill(supply, now_ms)

    def fill(self, supply: LotSupply, now_ms: int) -> None:
        """Add what was drawn."""
        self.checked_ms = now_ms
        self.lot_id = supply.lot_id
        self.limit = supply.limit
        self.left = supply.left
        self.recall.note(supply.elsewhere, now_ms)
        self.free += supply.added
        # From here on it is worth asking for more ahead of need.
        self.low = self.free // 4 if supply.left > 0 else 0

    def drained(self, now_ms: int) -> list[tuple[int, int]]:
        """Let go of what is free, if the window is open still: its (lot_id, units)."""
        free, self.free = self.free if now_ms < self.end_ms else 0, 0
        self.low = 0
        return [(self.lot_id, free)] if free else []

    def recalled(self, now_ms: int) -> list[tuple[int, int]]:
        """Let go of what is free, and for a while of what becomes so: its (lot_id, units)."""
        self.wanted_until_ms = now_ms + WANTED_MS
        self.checked_ms = NOT_CHECKED_MS  # what goes back now may be had again
        return self.drained(now_ms)

    def emptied(self, now_ms: int) -> list[tuple[int, int]]:
        """The same for good: what comes back later goes where it was drawn from."""
        self.is_current = False
        return self.drained(now_ms)

    @property
    def state(self) -> LimitState:
        """The limit as a caller is told of it."""
        return LimitState(self.name, self.limit, max(0, self.left + self.free), self.end_ms)


class Cap(Stock):
    """What the keys of a family may use of credits in a period, in micro-credits.

    `change_id` is the state of the terms that it was drawn under.
    """

    __slots__ = ("change_id",)

    def __init__(self, supply: LotSupply, now_ms: int) -> None:
        super().__init__(supply, now_ms)
        self.change_id = -1

    def is_known(self, change_id: int, now_ms: int) -> bool:
        """Whether it is of these terms and of the period that is open."""
        return change_id <= self.change_id and self.start_ms <= now_ms < self.end_ms


class Lots(NamedTuple):
    """What a request takes one unit of each of; `fine` are those of seconds and minutes."""

    windows: tuple[int, ...]
    fine: tuple[int, ...]


class _Paced:
    """Tells by how much was taken since when what is wanted, and what is idle."""

    __slots__ = ("since_ms", "taken")

    def __init__(self) -> None:
        self.since_ms = 0
        self.taken = 0

    def is_idle(self, now_ms: int, idle_ms: int) -> bool:
        """Whether nobody has taken anything for a while; to be asked now and then."""
        if now_ms - self.since_ms < idle_ms:
            return False
        is_idle = not self.taken
        self.taken, self.since_ms = 0, now_ms
        return is_idle


class Meter(_Paced):
    """The stocks of the windows that count the same requests: one scope, one channel.

    `change_id` is the state of the terms that they were drawn under; from `starts_ms` to `ends_ms`
    all windows are open, at any other instant another draw is needed.
    """

    __slots__ = (
        "change_id",
        "ends_ms",
        "is_asked",
        "lots",
        "starts_ms",
        "stocks",
    )

    def __init__(self) -> None:
        super().__init__()
        # Holds share them, and who tells of their limits: they are replaced, never changed.
        self.stocks: tuple[Stock, ...] = ()
        self.lots = Lots((), ())
        self.starts_ms = 0
        self.ends_ms = 0
        self.change_id = -1
        self.is_asked = False

    def stock(self, name: LimitName, now_ms: int) -> Stock | None:
        """The stock of a window that is open."""
        for stock in self.stocks:
            if stock.name == name and stock.end_ms > now_ms:
                return stock
        return None

    def fill(self, supplies: list[LotSupply], now_ms: int) -> list[tuple[int, int]]:
        """Take what was drawn; gives the (lot_id, units) of limits that are no more."""
        kept = {(stock.name, stock.start_ms): stock for stock in self.stocks}
        limits = [stock.limit for stock in self.stocks]
        stocks = []
        for supply in supplies:
            stock = kept.pop((supply.name, supply.start_ms), None)
            if stock is None:
                stock = Stock(supply, now_ms)
            else:
                stock.fill(supply, now_ms)
            stocks.append(stock)
        is_same = len(stocks) == len(self.stocks) and all(map(operator.is_, stocks, self.stocks))
        if not is_same or limits != [stock.limit for stock in stocks]:
            self.stocks = tuple(stocks)
        self.lots = Lots(
            tuple(stock.lot_id for stock in stocks if stock.name not in FINE_WINDOWS),
            tuple(stock.lot_id for stock in stocks if stock.name in FINE_WINDOWS),
        )
        self.starts_ms = max((stock.start_ms for stock in stocks), default=0)
        self.ends_ms = min((stock.end_ms for stock in stocks), default=NEVER_MS)
        self.since_ms = now_ms
        self.taken = 0
        self.is_asked = False
        return [lot for stock in kept.values() for lot in stock.emptied(now_ms)]

    def drained(self, now_ms: int) -> list[tuple[int, int]]:
        """Let go of what is free: the (lot_id, units)."""
        return [lot for stock in self.stocks for lot in stock.drained(now_ms)]

    def emptied(self, now_ms: int) -> list[tuple[int, int]]:
        """The same for good."""
        return [lot for stock in self.stocks for lot in stock.emptied(now_ms)]


class GrantStock:
    """Micro-credits of one grant."""

    __slots__ = ("expires_ms", "free", "is_current", "lot_id", "order", "wanted_until_ms")

    def __init__(self, supply: GrantSupply) -> None:
        self.lot_id = supply.lot_id
        self.expires_ms = NEVER_MS if supply.expires_at_ms is None else supply.expires_at_ms
        self.order = (self.expires_ms, -supply.priority, supply.created_at_ms, supply.grant_id)
        self.free = 0
        self.is_current = True
        self.wanted_until_ms = 0


class Wallet(_Paced):
    """A workspace's credits that are drawn and not held, by grant, in spending order."""

    __slots__ = (
        "change_id",
        "checked_ms",
        "free",
        "held_micro",
        "left",
        "low",
        "recall",
        "soonest_ms",
        "stocks",
        "told_micro",
    )
    name: LimitName = "credits"

    def __init__(self) -> None:
        super().__init__()
        self.stocks: list[GrantStock] = []
        self.free = 0
        self.left = 0
        self.low = 0
        # What reservations of this process hold, for those who ask what can be spent; and what the
        # other processes were told of it last.
        self.held_micro = 0
        self.told_micro = 0
        self.soonest_ms = NEVER_MS
        self.change_id = -1
        self.checked_ms = 0
        self.recall = Recall()

    def fill(
        self, supplies: list[GrantSupply], left_micro: int, elsewhere_micro: int, now_ms: int
    ) -> None:
        """Take what was drawn."""
        self.recall.note(elsewhere_micro, now_ms)
        known = {stock.lot_id: stock for stock in self.stocks}
        for supply in supplies:
            stock = known.get(supply.lot_id)
            if stock is None:
                stock = GrantStock(supply)
                self.stocks.append(stock)
            stock.free += supply.added_micro
            self.free += supply.added_micro
        self.stocks.sort(key=lambda stock: stock.order)
        self.soonest_ms = min((stock.expires_ms for stock in self.stocks), default=NEVER_MS)
        self.left = left_micro
        self.low = self.free // 4 if left_micro else 0
        self.checked_ms = self.since_ms = now_ms
        self.taken = 0

    def take(self, amount_micro: int) -> list[tuple[GrantStock, int]]:
        """Hold an amount that is there; of which grants."""
        assert self.stocks, "nothing was drawn"
        self.free -= amount_micro
        self.held_micro += amount_micro
        self.taken += amount_micro
        first = self.stocks[0]
        if first.free >= amount_micro:
            first.free -= amount_micro
            return [(first, amount_micro)]
        pieces = []
        rest_micro = amount_micro
        for stock in self.stocks:
            taken_micro = min(rest_micro, stock.free)
            if taken_micro:
                stock.free -= taken_micro
                pieces.append((stock, taken_micro))
                rest_micro -= taken_micro
                if not rest_micro:
                    break
        return pieces

    def put(self, stock: GrantStock, amount_micro: int, now_ms: int) -> bool:
        """Take back what was held and not charged; False when it must go back to its grant."""
        if not stock.is_current or now_ms >= stock.expires_ms or now_ms < stock.wanted_until_ms:
            return False
        stock.free += amount_micro
        self.free += amount_micro
        return True

    def recalled(self, now_ms: int) -> list[tuple[int, int]]:
        """Let go of what is free, and for a while of what becomes so: (lot_id, micro-credits)."""
        gone = [(stock.lot_id, stock.free) for stock in self.stocks if stock.free]
        for stock in self.stocks:
            stock.free = 0
            stock.wanted_until_ms = now_ms + WANTED_MS
        self.free = 0
        self.low = 0
        self.checked_ms = NOT_CHECKED_MS
        return gone

    def expired(self, now_ms: int) -> list[tuple[int, int]]:
        """Let go of grants that have ended: their (lot_id, micro-credits)."""
        ended = [stock for stock in self.stocks if stock.expires_ms <= now_ms]
        self.stocks = [stock for stock in self.stocks if stock.expires_ms > now_ms]
        self.soonest_ms = min((stock.expires_ms for stock in self.stocks), default=NEVER_MS)
        return self._let_go(ended)

    def emptied(self) -> list[tuple[int, int]]:
        """Let go of all that is free: (lot_id, micro-credits)."""
        ended, self.stocks = self.stocks, []
        self.soonest_ms = NEVER_MS
        return self._let_go(ended)

    def _let_go(self, stocks: list[GrantStock]) -> list[tuple[int, int]]:
        gone = [(stock.lot_id, stock.free) for stock in stocks if stock.free]
        for stock in stocks:
            stock.is_current = False
            stock.free = 0
        self.free -= sum(micro for _, micro in gone)
        return gone
