"""Faults to be planted: each breaks one promise of the gate, in the program itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from msgspec import structs

from farebox.core import ledger
from farebox.core.ledger import Purse, Transfer, TransferKind
from farebox.core.workspace import ApiKey
from farebox.engine import books, supply
from farebox.engine.clock import SteadyClock
from farebox.engine.counters import Counters
from farebox.engine.draws import Draws
from farebox.engine.gate import Gate
from farebox.engine.holds import Ask, Hold, Holds
from farebox.engine.leases import Leases
from farebox.engine.limits import Limits
from farebox.engine.messages import Draw, Drawn, LotSupply, Spend, Supply, Void, Voided
from farebox.engine.reservation import Reservation
from farebox.engine.stockroom import Asked, Stockroom
from farebox.engine.stocks import Meter, Stock
from farebox.engine.tally import Tally
from farebox.engine.teller import Teller

Plant = Callable[[pytest.MonkeyPatch], None]
PLANTED: dict[str, Plant] = {}


def planted(plant: Plant) -> Plant:
    PLANTED[plant.__name__] = plant
    return plant


@planted
def guard_removed(patch: pytest.MonkeyPatch) -> None:
    """What is short of something is admitted all the same."""

    def take(gate: Gate, ask: Ask, meter: Meter, now_ms: int) -> Hold:
        wallet = gate._wallet(ask, now_ms) if ask.hold_micro else None
        return gate._take(ask, meter, wallet, None, now_ms)

    patch.setattr(Gate, "_missing", take)


@planted
def share_ignores_what_is_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(supply, "share", lambda _left, wanted, least=1: max(wanted, least))


@planted
def expired_hold_not_released(patch: pytest.MonkeyPatch) -> None:
    expired = Holds.expired

    def forget(holds: Holds, now_ms: int) -> list[Hold]:
        expired(holds, now_ms)
        return []

    patch.setattr(Holds, "expired", forget)


@planted
def rest_released_twice(patch: pytest.MonkeyPatch) -> None:
    release = Gate._release

    def twice(gate: Gate, hold: Hold, charged_micro: int, now_ms: int) -> None:
        release(gate, hold, charged_micro, now_ms)
        release(gate, hold, charged_micro, now_ms)

    patch.setattr(Gate, "_release", twice)


@planted
def refilled_twice(patch: pytest.MonkeyPatch) -> None:
    fill = Stockroom.fill

    def twice(room: Stockroom, asked: Asked, got: Supply, now_ms: int) -> None:
        fill(room, asked, got, now_ms)
        fill(room, asked, got, now_ms)

    patch.setattr(Stockroom, "fill", twice)


@planted
def draw_not_fenced(patch: pytest.MonkeyPatch) -> None:
    """A lease that has ended goes on as if it had not."""
    patch.setattr(Leases, "is_live", lambda _leases, _lease_id: True)


@planted
def trust_not_checked(patch: pytest.MonkeyPatch) -> None:
    """Once supplied, a process trusts its memory for ever."""
    supplied = Gate.supplied

    def trust(gate: Gate, asked: list[Asked], drawn: Drawn, began_ms: int, now_ms: int) -> None:
        supplied(gate, asked, drawn, began_ms, now_ms)
        gate.trusted_until_ms = 2**62

    patch.setattr(Gate, "supplied", trust)


@planted
def stock_outlives_its_lease(patch: pytest.MonkeyPatch) -> None:
    """After a message whose outcome is unknown, what was drawn is used under the new lease."""
    abandon = Gate.abandon

    def keep(gate: Gate, lease_id: int, now_ms: int) -> tuple[int, list[tuple[int, int]]]:
        meters = {key: (meter.stocks, meter.ends_ms) for key, meter in gate.room.meters.items()}
        free = {id(s): s.free for stocks, _ in meters.values() for s in stocks}
        told = abandon(gate, lease_id, now_ms)
        for key, (stocks, ends_ms) in meters.items():
            meter = gate.room.meters.setdefault(key, Meter())
            meter.stocks, meter.ends_ms, meter.change_id = stocks, ends_ms, 2**62
            for stock in stocks:
                stock.free = free[id(stock)]
        return told

    patch.setattr(Gate, "abandon", keep)


@planted
def units_not_moved_to_used(patch: pytest.MonkeyPatch) -> None:
    spend = Reservation.spend

    def credits_only(reservation: Reservation, charged_micro: int, log_id: bytes) -> Spend:
        whole = spend(reservation, charged_micro, log_id)
        pieces = tuple(p for p in whole.pieces if p[0] not in reservation.windows)
        return whole._replace(pieces=pieces)

    patch.setattr(Reservation, "spend", credits_only)


@planted
def void_gives_back_twice(patch: pytest.MonkeyPatch) -> None:
    free = Stockroom.free

    def twice(room: Stockroom, stock: Stock, units: int, now_ms: int) -> None:
        free(room, stock, 2 * units, now_ms)

    patch.setattr(Stockroom, "free", twice)


@planted
def void_not_remembered(patch: pytest.MonkeyPatch) -> None:
    """A voided reservation can be settled."""

    def void(_teller: Teller, void: Void, _commit_id: int, _now_ms: int) -> Voided:
        return Voided(void.call_id, was_voided=False, was_settled=False)

    patch.setattr(Teller, "void", void)


@planted
def return_forgets_expiry(patch: pytest.MonkeyPatch) -> None:
    """What comes back of a grant that has ended can be spent again."""

    def give_back(
        purse: Purse, amounts: Mapping[int, int], _now_ms: int
    ) -> tuple[Purse, list[Transfer]]:
        return ledger.give_back(purse, amounts, 0)

    patch.setattr(books, "give_back", give_back)


@planted
def charge_takes_drawn_credits(patch: pytest.MonkeyPatch) -> None:
    def charge(
        purse: Purse, amount_micro: int, now_ms: int, kind: TransferKind = "charge"
    ) -> tuple[Purse, list[Transfer]]:
        grants = [
            g._replace(left_micro=g.left_micro + g.drawn_micro, drawn_micro=0) for g in purse.grants
        ]
        return ledger.charge(Purse(tuple(grants), purse.owed_micro), amount_micro, now_ms, kind)

    patch.setattr(books, "charge", charge)


@planted
def records_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Counters, "add", lambda _counters, _quarters: None)


@planted
def cap_ignored(patch: pytest.MonkeyPatch) -> None:
    limits_cap = Limits.cap_micro
    patch.setattr(
        Limits,
        "cap_micro",
        lambda limits, profile_id, family_id: (
            None if limits_cap(limits, profile_id, family_id) is None else 10**12
        ),
    )


@planted
def silence_not_noticed(patch: pytest.MonkeyPatch) -> None:
    """What a process had drawn that is gone never comes back."""
    patch.setattr(Leases, "_silent", lambda _leases, _now_ms: [])


@planted
def clock_follows_the_wall(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SteadyClock, "now_ms", lambda clock: clock._wall())


@planted
def revoked_key_admitted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ApiKey, "status", lambda _key, _now_ms: "active")


@planted
def credits_return_too_soon(patch: pytest.MonkeyPatch) -> None:
    """What an ended lease had drawn returns while its reservations still hold it."""
    patch.setattr(Leases, "_over", lambda leases, _by_itself_ms: sorted(leases._ended))


@planted
def limit_read_without_what_is_drawn(patch: pytest.MonkeyPatch) -> None:
    draws_units = Draws.units
    patch.setattr(Draws, "units", lambda draws, key: draws_units(draws, key) // 2)


@planted
def forgotten_lease_opened_again(patch: pytest.MonkeyPatch) -> None:
    """A lease that ended long ago is taken for a new one."""
    renewed, is_idle = Teller.renewed, Teller.is_idle

    def as_new(draw: Draw) -> Draw:
        return structs.replace(draw, is_old=False)

    patch.setattr(Teller, "is_idle", lambda teller, draw: is_idle(teller, as_new(draw)))
    patch.setattr(
        Teller, "renewed", lambda teller, draw, now_ms: renewed(teller, as_new(draw), now_ms)
    )


@planted
def lowered_limit_not_felt(patch: pytest.MonkeyPatch) -> None:
    """What comes back above a limit that was lowered is handed out again."""
    fill = Stock.fill

    def at_least_0(stock: Stock, got: LotSupply, now_ms: int) -> None:
        fill(stock, got._replace(left=max(0, got.left)), now_ms)

    patch.setattr(Stock, "fill", at_least_0)


@planted
def holdings_not_told(patch: pytest.MonkeyPatch) -> None:
    """What a process holds is known to itself alone."""
    patch.setattr(Tally, "hear", lambda _tally, _lease_id, _holdings: None)


@planted
def holdings_of_ended_lease_told(patch: pytest.MonkeyPatch) -> None:
    """What an ended lease holds is told beside what it has drawn."""
    patch.setattr(Tally, "end", lambda _tally, _lease_ids: None)


@planted
def expiry_not_heard(patch: pytest.MonkeyPatch) -> None:
    """What has expired is freed, although another may have ended it."""
    expire = Gate._expire

    def at_once(gate: Gate, now_ms: int) -> None:
        heard_ms, gate._heard_ms = gate._heard_ms, now_ms
        expire(gate, now_ms)
        gate._heard_ms = heard_ms

    patch.setattr(Gate, "_expire", at_once)
