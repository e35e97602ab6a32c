"""Supply: answers what processes want with what limits and balances have to spare.

What is spared is the limit less what the rollups say was used and what any lease has drawn: so no
draw commits that would make used, held and drawn together exceed it. Called inside the recorder's
transactions; what comes back is moved the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from farebox.core.admission import WindowName
from farebox.core.calendar import Window
from farebox.core.ledger import Purse
from farebox.core.share import share
from farebox.engine.books import Books
from farebox.engine.counters import Counters
from farebox.engine.draws import Draws, LimitKey, Lot
from farebox.engine.limits import Limits
from farebox.engine.messages import GrantSupply, LotSupply, Supply, Want
from farebox.engine.recalls import Recalls
from farebox.engine.usage import Whose

# These are counted by what was drawn of them; no rollup is so fine.
_FINE: tuple[WindowName, ...] = ("second", "minute")
_POSITION: dict[WindowName, int] = {"second": 0, "minute": 1, "hour": 2, "day": 3, "month": 4}
NONE = Supply("", [], None, [], 0)


class Supplier:
    """Moves units between limits and leases."""

    def __init__(
        self, books: Books, draws: Draws, counters: Counters, limits: Limits, recalls: Recalls
    ) -> None:
        self._books = books
        self._draws = draws
        self._counters = counters
        self._limits = limits
        self._recalls = recalls

    def read_ahead(self, wants: Iterable[Want], commit_id: int, now_ms: int) -> None:
        """Look up at once what the supplies for some wants will look at."""
        families = [(w.profile_id, w.family_id) for w in wants if w.family_id]
        self._limits.read_caps(families)
        self._counters.read_ahead(
            counted for want in wants for counted in self._counted(want, commit_id, now_ms)
        )

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
        elsewhere_micro = 0
        if want.credits_micro and not grants:
            elsewhere_micro = self._credits_elsewhere(want.profile_id, lease_id, purse)
        if elsewhere_micro or any(lot.elsewhere for lot in (*windows, *([cap] if cap else []))):
            self._recalls.ask(want.profile_id, lease_id, now_ms)
        left_micro = purse.undrawn_micro(now_ms)
        return Supply(scope, windows, cap, grants, left_micro, elsewhere_micro)

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
            counts = self._counters.of(Whose(want.profile_id, scope or None), window)
            left -= counts.api if want.channel == "api" else counts.portal
        return self._lot(lease_id, key, window, limit, left, want.units[_POSITION[name]], 1)

    def _cap(self, want: Want, lease_id: int, period: Window) -> LotSupply | None:
        if not want.family_id:
            return None
        cap_micro = self._limits.cap_micro(want.profile_id, want.family_id)
        if cap_micro is None:
            return None
        key: LimitKey = (want.profile_id, "key_credits", want.family_id, "", period.start_ms)
        whose = Whose(want.profile_id, family_id=want.family_id)
        used = self._counters.of(whose, period)
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
        elsewhere = self._draws.elsewhere(lease_id, key) if wanted and not added else 0
        if added:
            lot_id = self._draws.add(lease_id, key, window.end_ms, added)
        else:
            lot_id = self._draws.lot_id(lease_id, key)
        return LotSupply(
            lot_id,
            key[1],
            window.start_ms,
            window.end_ms,
            limit,
            added,
            left - added,
            elsewhere,
        )

    def _counted(self, want: Want, commit_id: int, now_ms: int) -> Iterator[tuple[Whose, Window]]:
        """The windows whose use tells what is left for a want."""
        terms = self._limits.of(want.profile_id)
        if terms is None:
            return
        user_id = None if terms.is_shared else want.user_id
        for name, _, window in terms.windows(want.channel, now_ms):
            if name not in _FINE:
                yield Whose(want.profile_id, user_id), window
        if want.family_id:
            period = self._books.account(want.profile_id, commit_id, now_ms).period
            window = Window(period.start_ms, period.end_ms)
            yield Whose(want.profile_id, family_id=want.family_id), window

    def _credits_elsewhere(self, profile_id: int, lease_id: int, purse: Purse) -> int:
        return sum(
            self._draws.elsewhere(lease_id, (profile_id, "credits", str(g.grant_id), "", 0))
            for g in purse.grants
            if g.drawn_micro
        )

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
