"""The gate of a process: admits from memory, by units that were drawn durably beforehand.

Messages in, messages out; no thread, no socket, no clock of its own. `decide` answers at once, or
says that it must know more: then `wants` tells what to ask the recorder for, and `supplied` takes
the answer. All or nothing: what one limit refuses is taken from none.

It trusts its memory only for a moment after the renewal that it last began. Whenever the outcome
of a message is unknown it gives its lease up and begins a new one: what it knows to be free
returns, and the recorder keeps the rest for whoever may still settle it.
"""

from __future__ import annotations

from farebox.core.admission import Denial, LimitState, denial_of, first_short
from farebox.core.errors import RESERVATION_TAKEN, FareboxError
from farebox.engine.draws import CREDIT_NAMES
from farebox.engine.holds import Ask, Hold, Holds
from farebox.engine.leases import TRUST_MS
from farebox.engine.messages import Drawn
from farebox.engine.reservation import Reservation
from farebox.engine.stockroom import Asked, Stockroom
from farebox.engine.stocks import Meter, Recall, Stock, Wallet
from farebox.engine.tally import Holdings
from farebox.engine.telling import Telling

# What was found to have nothing left is asked about again only then.
RECHECK_MS = 250
# So many renewals.
LET_GO_EVERY = 40


class Counts:
    """What is worth knowing of a gate: units of windows, and refusals while others had some."""

    __slots__ = ("drawn_units", "early_refusals", "recalled_units")

    def __init__(self) -> None:
        self.drawn_units = 0
        self.recalled_units = 0
        self.early_refusals = 0


class Gate:
    """One process's. Not to be used by two threads at once."""

    def __init__(self, lease_id: int) -> None:
        self.lease_id = lease_id
        self.trusted_until_ms = 0
        # When the recorder was heard last, by its own clock.
        self._heard_ms = 0
        self.holds = Holds()
        self.room = Stockroom()
        self.telling = Telling()
        self.counts = Counts()
        # The recall that the last ask without a decision waits for; to others it is no hurry.
        self.waits_for: Recall | None = None
        self._number = 0
        self._rounds = 0

    def decide(self, ask: Ask, now_ms: int) -> Hold | Denial | None:
        """Admit a request, refuse it, or None: more must be known first.

        Raises:
            FareboxError: 409, another request was admitted under its id.
        """
        if now_ms >= self.trusted_until_ms:
            return None
        self._expire(now_ms)
        if ask.fingerprint is not None and (hold := self._again(ask)):
            return hold
        room = self.room
        meter = room.meters.get((ask.profile_id, ask.scope, ask.channel))
        if (
            meter is None
            or meter.change_id < ask.change_id
            or not meter.starts_ms <= now_ms < meter.ends_ms
        ):
            return self._wait(ask)
        is_low = False
        for stock in meter.stocks:
            if stock.free < 1:
                return self._missing(ask, meter, now_ms)
            is_low |= stock.free <= stock.low
        if not ask.hold_micro:
            hold = self._take(ask, meter, None, None, now_ms)
        else:
            wallet = self._wallet(ask, now_ms)
            cap = room.caps.get((ask.profile_id, ask.family_id)) if ask.family_id else None
            if wallet.free < ask.hold_micro or (
                ask.family_id
                and (
                    cap is None
                    or cap.free < ask.hold_micro
                    or not cap.is_known(ask.change_id, now_ms)
                )
            ):
                return self._missing(ask, meter, now_ms)
            is_low |= wallet.free <= wallet.low
            hold = self._take(ask, meter, wallet, cap, now_ms)
        if is_low and not meter.is_asked:
            meter.is_asked = True
            room.demand(ask)
        return hold

    def admit_anyway(self, ask: Ask, now_ms: int) -> Hold:
        """Admit without taking anything: what would be refused is only counted."""
        return self._take(ask, None, None, None, now_ms)

    def limits(self, ask: Ask, now_ms: int) -> tuple[LimitState, ...]:
        """Every limit that a request is under, as far as they are known."""
        return self.room.limits(ask, now_ms)

    def held_micro(self, profile_id: int) -> int:
        """What reservations hold of a workspace's credits, here and as others have told."""
        wallet = self.room.wallets.get(profile_id)
        own_micro = 0 if wallet is None else wallet.held_micro
        return own_micro + self.telling.elsewhere_micro(profile_id)

    def step_back(self, step_ms: int) -> bool:
        """Go on by a clock that is set back, holds for as long as ever; False where it can't be.

        What was drawn already is by the time so far. A lease that was just begun has drawn nothing.
        """
        if self.room.is_used:
            return False
        self.trusted_until_ms = 0
        self.holds.step_back(step_ms)
        return True

    # -- the ends of a hold ----------------------------------------------------------------------

    def ending(self, lease_id: int, number: int) -> Hold | None:
        """An open hold whose end is on its way from now on; None when it has none here."""
        hold = self.holds.of_number(number)
        if hold is None or hold.lease_id != lease_id:
            return None
        hold.ending += 1
        return hold

    def settled(self, hold: Hold, charged_micro: int, now_ms: int) -> None:
        """The request is recorded: what it didn't cost is free again."""
        hold.ending -= 1
        if hold.is_open:
            self.holds.close(hold)
            self._release(hold, charged_micro, now_ms)

    def voided(self, hold: Hold, now_ms: int) -> None:
        """The request was not made: all that it had taken is free again."""
        hold.ending -= 1
        if hold.is_open:
            self.holds.close(hold)
            self._release(hold, 0, now_ms)
            if hold.lease_id == self.lease_id:
                for stock in hold.stocks:
                    self.room.free(stock, 1, now_ms)

    def taken_elsewhere(self, hold: Hold) -> None:
        """Its identity was used up by a request that took nothing of it.

        The recorder knows: to it goes back what the hold has taken, and is free when it is there.
        """
        hold.ending -= 1
        if hold.is_open:
            self.holds.close(hold)
            if hold.wallet is not None:
                hold.wallet.held_micro -= hold.ask.hold_micro
            if hold.lease_id == self.lease_id:
                self.room.give_back(Reservation.of(hold).unspent(is_late=False).pieces)

    def ended_elsewhere(self, number: int, taken_micro: int, now_ms: int) -> None:
        """Another process has ended a hold, and the recorder has taken so much of its credits.

        Its units of windows are gone, too; where `taken_micro` is below 0, its credits are not, and
        are free when its time is over.
        """
        hold = self.holds.of_number(number)
        if hold is not None and hold.lease_id == self.lease_id and taken_micro >= 0:
            self.holds.close(hold)
            self._release(hold, taken_micro, now_ms)

    def kept(self, hold: Hold, now_ms: int) -> None:
        """An end was refused, and nothing of it was done: the hold is as it was.

        Unless its time was over meanwhile: then nobody else will look at it any more.
        """
        hold.ending -= 1
        if hold.is_open and not hold.ending and not self.holds.has(hold):
            hold.is_open = False
            self._release(hold, 0, now_ms)

    # -- the recorder ----------------------------------------------------------------------------

    def wants(self, now_ms: int) -> tuple[list[Asked], list[tuple[int, int]]]:
        """What to ask for, and what goes back before; both are the caller's to send."""
        self._expire(now_ms)
        return self.room.wants(now_ms)

    def look_around(self, now_ms: int) -> None:
        """With each renewal: note what reservations hold by now, let go of what nobody uses."""
        self._rounds += 1
        if self._rounds % LET_GO_EVERY == 0:
            self.room.let_go(now_ms)
        self.telling.look(self.room.wallets)

    def take_holdings(self) -> Holdings:
        """What to tell with a message, as `wants` what to ask for with it."""
        return self.telling.take(self.room.wallets)

    def supplied(self, asked: list[Asked], drawn: Drawn, began_ms: int, now_ms: int) -> None:
        """Take what was drawn; the renewal that brought it began at `began_ms`."""
        for one, supply in zip(asked, drawn.supplies, strict=True):
            self.room.fill(one, supply, now_ms)
            self.counts.drawn_units += sum(lot.added for lot in supply.windows)
        for number, taken_micro in drawn.ended:
            self.ended_elsewhere(number, taken_micro, now_ms)
        self._heard_ms = drawn.now_ms
        self._expire(now_ms)
        self.telling.hear(drawn.holdings, is_first=drawn.are_first)
        for profile_id in drawn.recalled:
            self.counts.recalled_units += self.room.recall(profile_id, now_ms)
        self.trusted_until_ms = max(self.trusted_until_ms, began_ms + TRUST_MS)

    def abandon(self, lease_id: int, now_ms: int) -> tuple[int, list[tuple[int, int]]]:
        """Begin a new lease. The old one, and all that is known to be free of it.

        What a lost message had carried is not known to be free; holds stay with the old lease.
        """
        old, free = self.lease_id, self.room.emptied(now_ms)
        self.lease_id = lease_id
        self.trusted_until_ms = 0
        self.telling.part(self.room.wallets)
        self.room = Stockroom()
        return old, free

    # -- inside ----------------------------------------------------------------------------------

    def _again(self, ask: Ask) -> Hold | None:
        """What was admitted under the same id before."""
        hold = self.holds.of_identity(ask.profile_id, ask.identity)
        if hold is not None and hold.ask.fingerprint != ask.fingerprint:
            raise FareboxError(RESERVATION_TAKEN)
        return hold

    def _wallet(self, ask: Ask, now_ms: int) -> Wallet:
        """The workspace's wallet, without what has expired; one of older terms has nothing."""
        wallet = self.room.wallets.get(ask.profile_id)
        if wallet is None:
            wallet = self.room.wallets[ask.profile_id] = Wallet()
        if wallet.change_id < ask.change_id:
            self.room.give_back(wallet.emptied())
        elif now_ms >= wallet.soonest_ms:
            self.room.give_back(wallet.expired(now_ms))
        return wallet

    def _take(
        self, ask: Ask, meter: Meter | None, wallet: Wallet | None, cap: Stock | None, now_ms: int
    ) -> Hold:
        self._number += 1
        hold = Hold(ask, self._number, self.lease_id, now_ms)
        if meter is not None:
            for stock in meter.stocks:
                stock.free -= 1
            meter.taken += 1
            hold.stocks = meter.stocks
            hold.lots = meter.lots
        if wallet is not None:
            hold.wallet = wallet
            hold.pieces = wallet.take(ask.hold_micro)
        if cap is not None:
            cap.free -= ask.hold_micro
            hold.cap = cap
        self.holds.add(hold)
        return hold

    def _missing(self, ask: Ask, meter: Meter, now_ms: int) -> Denial | None:
        """Refuse what is surely used up; else wait for more."""
        levels: list[Stock | Wallet] = [*meter.stocks]
        if ask.hold_micro:
            if ask.family_id:
                cap = self.room.caps.get((ask.profile_id, ask.family_id))
                if cap is None or not cap.is_known(ask.change_id, now_ms):
                    return self._wait(ask)
                levels.append(cap)
            levels.append(self._wallet(ask, now_ms))
        costs = [ask.hold_micro if level.name in CREDIT_NAMES else 1 for level in levels]
        name = first_short(levels, costs)
        for level, cost in zip(levels, costs, strict=True):
            if level.name == name:
                is_known = now_ms - level.checked_ms < RECHECK_MS
                if is_known and level.free + level.left < cost:
                    if now_ms < level.recall.until_ms:
                        return self._wait(ask, level.recall)
                    self.counts.early_refusals += level.recall.elsewhere > 0
                    return denial_of(level.name)
        return self._wait(ask)

    def _wait(self, ask: Ask, recall: Recall | None = None) -> Denial | None:
        """Nothing is decided until more was drawn."""
        self.waits_for = recall
        demand = self.room.demand(ask)
        demand.waiting += 1
        if ask.hold_micro:
            demand.credits_micro += ask.hold_micro
            demand.least_micro = min(demand.least_micro or ask.hold_micro, ask.hold_micro)
        return None

    def _expire(self, now_ms: int) -> None:
        """Free what has expired, unless another may have ended it and this process not heard it.

        Near its end nobody else takes credits of a hold: so it must have been heard since then.
        """
        until_ms = min(now_ms, self._heard_ms + TRUST_MS)
        if self.holds.next_expiry_ms <= until_ms:
            for hold in self.holds.expired(until_ms):
                self._release(hold, 0, now_ms)

    def _release(self, hold: Hold, charged_micro: int, now_ms: int) -> None:
        """Free the credits of a hold that were not charged."""
        wallet = hold.wallet
        if wallet is None:
            return
        wallet.held_micro -= hold.ask.hold_micro
        if hold.lease_id != self.lease_id:
            return
        rest_micro = charged_micro
        for stock, held_micro in hold.pieces:
            taken_micro = min(rest_micro, held_micro)
            rest_micro -= taken_micro
            if not wallet.put(stock, held_micro - taken_micro, now_ms):
                self.room.give_back([(stock.lot_id, held_micro - taken_micro)])
        if hold.cap is not None:
            self.room.free(hold.cap, max(0, hold.ask.hold_micro - charged_micro), now_ms)
