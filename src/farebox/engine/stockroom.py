"""The stockroom: everything that a process has drawn, what it wants more of, and what goes back.

Stocks were drawn under certain terms. When those have changed, all that is free goes back before
more is drawn, so that the new terms hold at once; and so does what nobody has used for a while.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.admission import WINDOW_NAMES, LimitState
from farebox.core.instant import MS_PER_SECOND
from farebox.core.request import Channel
from farebox.engine.holds import Ask
from farebox.engine.messages import LotSupply, Supply, Want
from farebox.engine.stocks import Cap, Meter, Stock, Wallet

RATE_OVER_MS_MIN = 100
IDLE_MS = 10_000

MeterKey = tuple[int, str, Channel]  # profile_id, scope, channel


class _For(NamedTuple):
    """Whom a demand is for: one meter, one wallet, one cap."""

    profile_id: int
    scope: str
    channel: Channel
    user_id: str
    family_id: str


class Demand:
    """What waits. `least_micro` is the smallest hold that waits for credits."""

    __slots__ = ("change_id", "credits_micro", "least_micro", "waiting")

    def __init__(self) -> None:
        self.change_id = -1
        self.waiting = 0
        self.credits_micro = 0
        self.least_micro = 0


class Asked(NamedTuple):
    """A demand on its way to the recorder, with the terms that it was made under."""

    whom: _For
    change_id: int
    want: Want


class Stockroom:
    """One lease's."""

    def __init__(self) -> None:
        self.meters: dict[MeterKey, Meter] = {}
        self._keys_of: dict[int, set[MeterKey]] = defaultdict(set)
        self.wallets: dict[int, Wallet] = {}
        self.caps: dict[tuple[int, str], Cap] = {}
        # Whether anything was drawn yet.
        self.is_used = False
        # Whose scope, or cap, is another one by now than whoever asks for them knows.
        self._outdated: set[_For] = set()
        self._demands: dict[_For, Demand] = {}
        self._returns: dict[int, int] = {}

    def limits(self, ask: Ask, now_ms: int) -> tuple[LimitState, ...]:
        """Every limit that a request is under, as far as they are known."""
        meter = self.meters.get((ask.profile_id, ask.scope, ask.channel))
        states = [s.state for s in meter.stocks if s.end_ms > now_ms] if meter is not None else []
        cap = self.caps.get((ask.profile_id, ask.family_id))
        if cap is not None and cap.end_ms > now_ms:
            states.append(cap.state)
        wallet = self.wallets.get(ask.profile_id)
        if wallet is not None:
            states.append(LimitState("credits", None, wallet.left + wallet.free, None))
        return tuple(states)

    # -- what is wanted --------------------------------------------------------------------------

    @property
    def has_demand(self) -> bool:
        """Whether there is something to ask for."""
        return bool(self._demands)

    def demand(self, ask: Ask) -> Demand:
        """What is wanted for a request, to be added to."""
        whom = _whom(ask)
        demand = self._demands.get(whom)
        if demand is None:
            demand = self._demands[whom] = Demand()
        demand.change_id = max(demand.change_id, ask.change_id)
        return demand

    def is_outdated(self, ask: Ask) -> bool:
        """Whether a request asks by terms that are no more, as the recorder has told."""
        return _whom(ask) in self._outdated

    def wants(self, now_ms: int) -> tuple[list[Asked], list[tuple[int, int]]]:
        """What to ask for, and what goes back before; both are the caller's to send."""
        asked = [self._asked(whom, demand, now_ms) for whom, demand in self._demands.items()]
        self._demands.clear()
        returns, self._returns = self._returns, {}
        return asked, sorted(returns.items())

    def fill(self, asked: Asked, supply: Supply, now_ms: int) -> None:
        """Take what was drawn."""
        self.is_used = True
        whom = asked.whom
        wallet = self.wallets.setdefault(whom.profile_id, Wallet())
        wallet.fill(
            supply.grants, supply.credits_left_micro, supply.credits_elsewhere_micro, now_ms
        )
        wallet.change_id = max(wallet.change_id, asked.change_id)
        if supply.cap is not None:
            self._fill_cap(asked, supply.cap, now_ms)
        is_lifted = bool(whom.family_id) and supply.cap is None
        if is_lifted or supply.scope != whom.scope:
            # Its terms are other ones than this process knows yet.
            self._outdated.add(whom)
        else:
            self._outdated.discard(whom)
        if supply.scope != whom.scope:
            self.give_back((lot.lot_id, lot.added) for lot in supply.windows)
            return
        meter = self._meter(whom[:3])
        self.give_back(meter.fill(supply.windows, now_ms))
        meter.change_id = max(meter.change_id, asked.change_id)

    # -- what goes back --------------------------------------------------------------------------

    def give_back(self, lots: Iterable[tuple[int, int]]) -> None:
        """Have units returned with the next message."""
        for lot_id, units in lots:
            if units:
                self._returns[lot_id] = self._returns.get(lot_id, 0) + units

    def free(self, stock: Stock, units: int, now_ms: int) -> None:
        """Take units back that were taken and not used; those of a closed window are nothing.

        Those of a limit that was lowered below what is used are not for the next that comes.
        """
        if stock.end_ms <= now_ms or not units:
            return
        if stock.is_current and stock.left >= 0 and now_ms >= stock.wanted_until_ms:
            stock.free += units
        else:
            stock.left += units
            self.give_back([(stock.lot_id, units)])

    def recall(self, profile_id: int, now_ms: int) -> int:
        """Give back what is free of a workspace: others have run short. How many units of windows.

        What waits here has its turn again, with everybody else's.
        """
        windows = [
            lot
            for key in self._keys_of.get(profile_id, ())
            for stock in self.meters[key].stocks
            for lot in stock.recalled(now_ms)
        ]
        self.give_back(windows)
        for (owner_id, _), cap in self.caps.items():
            if owner_id == profile_id:
                self.give_back(cap.recalled(now_ms))
        wallet = self.wallets.get(profile_id)
        if wallet is not None:
            self.give_back(wallet.recalled(now_ms))
        return sum(units for _, units in windows)

    @property
    def has_returns(self) -> bool:
        """Whether something is to go back."""
        return bool(self._returns)

    def let_go(self, now_ms: int) -> None:
        """Give back what nobody has used for a while."""
        for key, meter in list(self.meters.items()):
            if meter.is_idle(now_ms, IDLE_MS):
                self.give_back(meter.emptied(now_ms))
                del self.meters[key]
                self._keys_of[key[0]].discard(key)
        for profile_id, wallet in list(self.wallets.items()):
            if wallet.is_idle(now_ms, IDLE_MS):
                self.give_back(wallet.emptied())
                if not wallet.held_micro and not wallet.told_micro:
                    del self.wallets[profile_id]
        for place, cap in list(self.caps.items()):
            if place[0] not in self.wallets:
                self.give_back(cap.emptied(now_ms))
                del self.caps[place]

    def emptied(self, now_ms: int) -> list[tuple[int, int]]:
        """Everything that is free: for the end of the lease. Nothing comes back here any more."""
        for meter in self.meters.values():
            self.give_back(meter.emptied(now_ms))
        for cap in self.caps.values():
            self.give_back(cap.emptied(now_ms))
        for wallet in self.wallets.values():
            self.give_back(wallet.emptied())
        return sorted(self._returns.items())

    # -- inside ----------------------------------------------------------------------------------

    def _meter(self, key: MeterKey) -> Meter:
        """The meter with this key, a new one where there is none."""
        meter = self.meters.get(key)
        if meter is None:
            meter = self.meters[key] = Meter()
            self._keys_of[key[0]].add(key)
        return meter

    def _drain_older(self, profile_id: int, change_id: int, now_ms: int) -> None:
        """Give back what a workspace drew under older terms, its other scopes' too.

        Who shares a quota may have changed: what another scope has is missing to this one.
        """
        for key in self._keys_of[profile_id]:
            meter = self.meters[key]
            if meter.change_id < change_id:
                self.give_back(meter.drained(now_ms))

    def _asked(self, whom: _For, demand: Demand, now_ms: int) -> Asked:
        meter = self._meter(whom[:3])
        wallet = self.wallets.setdefault(whom.profile_id, Wallet())
        cap = self.caps.get((whom.profile_id, whom.family_id))
        if meter.change_id < demand.change_id:
            self._drain_older(whom.profile_id, demand.change_id, now_ms)
        if wallet.change_id < demand.change_id:
            self.give_back(wallet.emptied())
        if cap is not None and cap.change_id < demand.change_id:
            self.give_back(cap.drained(now_ms))
        often = max(demand.waiting, _rate(meter.taken, meter.since_ms, now_ms))
        units = [_more(meter.stock(name, now_ms), demand.waiting, often) for name in WINDOW_NAMES]
        much_micro = max(demand.credits_micro, _rate(wallet.taken, wallet.since_ms, now_ms))
        cap_free = cap.free if cap is not None and cap.end_ms > now_ms else 0
        want = Want(
            whom.profile_id,
            whom.user_id,
            whom.channel,
            (units[0], units[1], units[2], units[3], units[4]),
            max(0, much_micro - wallet.free),
            max(0, demand.least_micro - wallet.free),
            whom.family_id,
            max(0, much_micro - cap_free),
            max(0, demand.least_micro - cap_free),
        )
        return Asked(whom, demand.change_id, want)

    def _fill_cap(self, asked: Asked, supply: LotSupply, now_ms: int) -> None:
        place = (asked.whom.profile_id, asked.whom.family_id)
        cap = self.caps.get(place)
        if cap is not None and cap.start_ms == supply.start_ms:
            cap.fill(supply, now_ms)
        else:
            if cap is not None:
                self.give_back(cap.emptied(now_ms))
            cap = self.caps[place] = Cap(supply, now_ms)
        cap.change_id = max(cap.change_id, asked.change_id)


def _whom(ask: Ask) -> _For:
    return _For(ask.profile_id, ask.scope, ask.channel, ask.user_id, ask.family_id)


def _rate(taken: int, since_ms: int, now_ms: int) -> int:
    """About what was taken in a second."""
    return taken * MS_PER_SECOND // max(now_ms - since_ms, RATE_OVER_MS_MIN)


def _more(stock: Stock | None, waiting: int, often: int) -> int:
    """How many more units to ask for; none while there are enough."""
    if stock is not None and stock.free > max(waiting, stock.low):
        return 0
    return max(1, often - (0 if stock is None else stock.free))
