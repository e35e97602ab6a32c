"""Supply: answers what processes want with what limits and balances have to spare.

What is spared is the limit less what the rollups say was used and what any lease has drawn: so no
draw commits that would make used, held and drawn together exceed it. Called inside the recorder's
transactions; what comes back is moved the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from farebox.core.admission import WindowName
from farebox.core.calendar import Window
from farebox.core.share import share
from farebox.engine.books import Books
from farebox.engine.counters import Counters
from farebox.engine.draws import CREDIT_NAMES, Draws, LimitKey, Lot
from farebox.engine.limits import Limits
from farebox.engine.messages import GrantSupply, LotSupply, Supply, Want

# These are counted by what was drawn of them; no rollup is so fine.
_FINE: tuple[WindowName, ...] = ("second", "minute")
_POSITION: dict[WindowName, int] = {"second": 0, "minute": 1, "hour": 2, "day": 3, "month": 4}
NONE = Supply("", [], None, [], 0)


class Supplier:
    """Moves units between limits and leases."""

    def __init__(self, books: Books, draws: Draws, counters: Counters, limits: Limits) -> None:
        self._books = books
        self._draws = draws
        self._counters = counters
        self._limits = limits

    def supply(self, want: Want, lease_id: int, commit_id: int, now_ms: int) -> Supply:
        """Draw for a lease what it wants and what there is."""
        # First: a period that has ended takes its plan along.
        terms = self._limits.of(want.profile_id)
        if terms is None:
            return NONE
        account = self._books.account(want.profile_id, commit_id, now_ms)
        if want.profile_id in self._books.replanned:
            self._limits.forget()
            terms = self._limits.of(want.profile_id)
            assert terms is not None
        scope = "" if terms.is_shared else want.user_id
        windows = [
            self._window(want, lease_id, scope, name, limit, window)
            for name, limit, window in terms.windows(want.channel, now_ms)
        ]
        cap = self._cap(want, lease_id, Window(account.period.start_ms, account.period.end_ms))
        grants = self._grants(want, lease_id, commit_id, now_ms)
        purse = self._books.account(want.profile_id, commit_id, now_ms).purse
        return Supply(scope, windows, cap, grants, purse.undrawn_micro(now_ms))

    def take_back(self, lots: Iterable[tuple[Lot, int]], commit_id: int, now_ms: int) -> None:
        """Give units that were taken out of lots back to what they are of."""
        amounts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for lot, units in lots:
            if lot.name == "credits" and units:
                amounts[lot.profile_id][int(lot.scope)] += units
        for profile_id, by_grant in sorted(amounts.items()):
            self._books.give_back(profile_id, by_grant, commit_id, now_ms)

    def _window(
        self,
        want: Want,
        lease_id: int,
        scope: str,
        name: WindowName,
        limit: int,
        window: Window,
    ) -> LotSupply:
        key: LimitKey = (want.profile_id, name, scope, want.channel, window.start_ms)
        left = limit - self._draws.units(key)
        if name not in _FINE:
            counts = self._counters.of_user(want.profile_id, scope, window)
            left -= counts.api if want.channel == "api" else counts.portal
        return self._lot(lease_id, key, window, limit, left, want.units[_POSITION[name]], 1)

    def _cap(self, want: Want, lease_id: int, period: Window) -> LotSupply | None:
        if not want.family_id:
            return None
        cap_micro = self._limits.cap_micro(want.profile_id, want.family_id)
        if cap_micro is None:
            return None
        key: LimitKey = (want.profile_id, "key_credits", want.family_id, "", period.start_ms)
        used = self._counters.of_family(want.profile_id, want.family_id, period)
        left = cap_micro - used.credits_micro - self._draws.units(key)
        least = want.cap_least_micro
        return self._lot(lease_id, key, period, cap_micro, left, want.cap_micro, least)

    def _lot(
        self,
        lease_id: int,
        key: LimitKey,
        window: Window,
        limit: int,
        left: int,
        wanted: int,
        least: int,
    ) -> LotSupply:
        added = share(left, wanted, least)
        if added:
            lot_id = self._draws.add(lease_id, key, window.end_ms, added)
        else:
            lot_id = self._draws.lot_id(lease_id, key)
        return LotSupply(lot_id, key[1], window.start_ms, window.end_ms, limit, added, left - added)

    def _grants(self, want: Want, lease_id: int, commit_id: int, now_ms: int) -> list[GrantSupply]:
        account = self._books.account(want.profile_id, commit_id, now_ms)
        undrawn_micro = account.purse.undrawn_micro(now_ms)
        added_micro = share(undrawn_micro, want.credits_micro, want.credits_least_micro)
        if not added_micro:
            return []
        supplies = []
        for grant, micro in self._books.draw(want.profile_id, added_micro, commit_id, now_ms):
            key: LimitKey = (want.profile_id, "credits", str(grant.grant_id), "", 0)
            lot_id = self._draws.add(lease_id, key, None, micro)
            supplies.append(
                GrantSupply(
                    lot_id,
                    grant.grant_id,
                    grant.expires_at_ms,
                    grant.priority,
                    grant.created_at_ms,
                    micro,
                )
            )
        return supplies


def is_credit(lot: Lot) -> bool:
    """Whether a lot's units are micro-credits, which return when its lease is over."""
    return lot.name in CREDIT_NAMES
