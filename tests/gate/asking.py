"""Asking: what the gate decides, held to the reference.

An admitted call had enough left of everything, and a refused one had not, of just the limit that is
named. Where another process, or one that is gone, has something drawn, a refusal may be for want of
that; never may an admission rest on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple

from farebox.core.errors import RESERVATION_TAKEN, STORE_UNAVAILABLE, FareboxError
from farebox.core.ledger import NEVER_MS
from farebox.engine.draws import CLOSED_MS
from farebox.engine.gate import RECHECK_MS
from farebox.engine.holds import Hold
from farebox.engine.reservation import Reservation
from farebox.service.admit import Attempt, Refused
from tests.gate.claim import Claim
from tests.gate.reference import Key, Level, prices, spending_order
from tests.gate.view import Books, Lot
from tests.gate.wire import Fate
from tests.gate.witness import Witness
from tests.gate.world import HOLD_MS, SEAL, Process

FOLLOW_MS = 900
SLOW = (Fate.SLOW_REQUEST, Fate.SLOW_REPLY)
OF_TERMS = {"key", "workspace", "plan", "unmapped"}


class Question(NamedTuple):
    """A call that wants to be admitted."""

    key: Key
    log_type: str
    told_micro: int | None = None
    request_id: str | None = None
    expires: bool = True

    @property
    def asked(self) -> tuple[object, ...]:
        """What tells whether it is the same again."""
        return (self.key.key_id, self.log_type, self.told_micro)

    @property
    def hold_micro(self) -> int:
        """The most that it may cost."""
        return prices(self.log_type)[1] if self.told_micro is None else self.told_micro

    def attempt(self, process: Process) -> Attempt:
        """What its face would ask for."""
        return Attempt(
            process.directory.keys[self.key.key_id],
            self.log_type,
            None,
            None,
            None,
            self.told_micro,
            None,
            self.request_id,
            HOLD_MS if self.expires else None,
        )


class Asking(Witness):
    """A witness that asks."""

    def authorize(
        self, process: Process, question: Question, *, count: int = 1, fate: Fate | None = None
    ) -> list[tuple[Hold, Claim]]:
        """Ask for one call, or for some equal ones at once; what was admitted anew."""
        if self.world.machine.steady_ms - process.followed_ms > FOLLOW_MS:
            self.follow(process)
        if question.key.key_id not in process.directory.keys:
            return []  # this process has not heard of it yet
        now_ms = process.clock.now_ms()
        self.sweep()
        is_known = process.directory.change_id == self.books().change_id
        is_exact = is_known and fate not in SLOW and now_ms == self.world.recorder_clock.now_ms()
        same = self._same(process, question, now_ms)
        draws = process.wire.draws
        try:
            decisions = self._decisions(process, question, count, fate)
        except FareboxError as error:
            is_expected = fate is not None or not is_known
            _check_error(error, same, question, is_expected=is_expected)
            return []
        if is_exact and self._is_denied(question, decisions, now_ms):
            return []
        admitted = [d for d in decisions if isinstance(d, Hold)]
        refused = [d for d in decisions if isinstance(d, Refused)]
        if admitted and same is not None:
            _check_same(admitted[0], same, question)
            return []
        found = [(h, self._admitted(process, question, h, is_exact=is_exact)) for h in admitted]
        if refused and is_exact and not self._is_right(process, question, refused[0]):
            # What it remembers of others' units may be a moment old, and no older.
            levels = self._levels(process, question)
            assert process.wire.draws == draws, f"refused by {refused[0].denial} at {levels}"
            self.world.pass_time(RECHECK_MS)
            found += self.authorize(process, question._replace(request_id=None))
        return found

    def _decisions(
        self, process: Process, question: Question, count: int, fate: Fate | None
    ) -> list[Hold | Refused]:
        process.wire.fate = fate
        attempt, now_ms = question.attempt(process), process.clock.now_ms()
        decide = [process.admitter.decide(attempt, now_ms) for _ in range(count)]
        try:
            return self.world.run(_together(decide))
        finally:
            process.wire.fate = None
            self._reap(process)

    def _is_denied(self, question: Question, decisions: list[Hold | Refused], now_ms: int) -> bool:
        """Whether the terms refuse a call, as they must or must not."""
        denied = self.reference.denied(question.key, question.log_type, now_ms)
        told = {d.denial.denied_by if isinstance(d, Refused) else None for d in decisions}
        assert told == {denied} if denied else not told & OF_TERMS, f"{told}, not {denied}"
        return denied is not None

    def _same(self, process: Process, question: Question, now_ms: int) -> Claim | None:
        """What was admitted under the same id before, and is remembered."""
        if question.request_id is None:
            return None
        same = [
            claim
            for claim in self.reference.claims
            if claim.owner == process.number
            and claim.profile_id == question.key.profile_id
            and claim.request_id == question.request_id
            and claim.reservation.expires_ms > now_ms
        ]
        return same[-1] if same else None

    def _admitted(
        self, process: Process, question: Question, hold: Hold, *, is_exact: bool
    ) -> Claim:
        """Hold an admission to the reference, and put it there."""
        books = self.books()
        reservation = Reservation.of(hold)
        found = self._lots(reservation, books)
        claim = _claim(process, question, reservation, found, self.world.machine.steady_ms)
        assert sum(claim.grants.values()) == reservation.held_micro == question.hold_micro
        if is_exact:
            levels = self._levels(process, question)
            assert all(level.left >= level.cost for level in levels), f"admitted above {levels}"
            expected = {level.name for level in levels} - {"credits", "key_credits"}
            assert claim.covers == expected, f"admitted by {claim.covers} instead of {expected}"
            assert claim.is_capped == any(level.name == "key_credits" for level in levels)
            assert claim.scope == (self.reference.scope(question.key) if expected else "")
            if all(level.left == level.sure for level in levels):
                self._check_order(claim, books, hold.time_ms)
        self.reference.claims.append(claim)
        return claim

    def _lots(self, reservation: Reservation, books: Books) -> dict[int, Lot | None]:
        """The lots that a reservation names: all are drawn, and by its lease."""
        lots = [*reservation.windows, *reservation.fine, *(lot for lot, _ in reservation.grants)]
        if reservation.cap_lot_id:
            lots.append(reservation.cap_lot_id)
        found = {lot_id: books.lots.get((reservation.lease_id, lot_id)) for lot_id in lots}
        missing = [lot_id for lot_id, lot in found.items() if lot is None]
        # Where the recorder's clock has stepped ahead, windows may be forgotten there already.
        is_past = reservation.time_ms + CLOSED_MS <= self.world.recorder_clock.now_ms()
        assert is_past or not missing, f"admitted by lots {missing} that are not drawn"
        paying = {lot_id for lot_id, _ in reservation.grants}
        for lot_id, lot in found.items():
            is_of_credits = lot_id in paying, lot_id == reservation.cap_lot_id
            if lot is not None:
                told = lot.name == "credits", lot.name == "key_credits"
                assert is_of_credits == told, f"admitted by {lot} as if it were something else"
        return found

    def _check_order(self, claim: Claim, books: Books, now_ms: int) -> None:
        """Grants pay in their order, unless some have come back since they were drawn."""
        if claim.profile_id in self._returned:
            return
        rest, expected = claim.held_micro, {}
        for grant in sorted(books.grants[claim.profile_id], key=spending_order):
            held = sum(
                other.grants.get(grant.grant_id, 0)
                for other in self.reference.claims
                if other.profile_id == claim.profile_id and other.is_held
            )
            taken = min(rest, grant.left_micro + grant.drawn_micro - held)
            if grant.is_live(now_ms) and taken > 0:
                expected[grant.grant_id] = taken
                rest -= taken
        assert claim.grants == expected, f"held of {claim.grants} instead of {expected}"

    def _levels(self, process: Process, question: Question) -> list[Level]:
        now_ms = process.clock.now_ms()
        key, hold_micro = question.key, question.hold_micro
        return self.reference.levels(key, hold_micro, now_ms, process.lease_id, self.books())

    def _is_right(self, process: Process, question: Question, refused: Refused) -> bool:
        """Whether the limit that refused a call is the first that has not enough."""
        self.sweep()
        for level in self._levels(process, question):
            if level.name == refused.denial.denied_by:
                return level.sure < level.cost
            if level.left < level.cost:
                return False
        return False


def _check_error(
    error: FareboxError, same: Claim | None, question: Question, *, is_expected: bool
) -> None:
    if error.kind is RESERVATION_TAKEN:
        assert same is not None, "nothing was admitted under this id"
        assert same.asked != question.asked, "the same request was taken for another"
    else:
        assert error.kind is STORE_UNAVAILABLE, error
        assert is_expected, error.internal


def _check_same(hold: Hold, same: Claim, question: Question) -> None:
    assert hold.number == same.reservation.number, "the same id got another reservation"
    assert question.asked == same.asked, "another request was taken for the same"
    assert SEAL.seal(Reservation.of(hold)) == same.token


def _claim(
    process: Process,
    question: Question,
    reservation: Reservation,
    found: dict[int, Lot | None],
    steady_ms: int,
) -> Claim:
    """The claim of a reservation, with what the lots that it names are of."""
    drawn = {lot_id: lot for lot_id, lot in found.items() if lot is not None}
    windows = {*reservation.windows, *reservation.fine} & drawn.keys()
    scopes = {drawn[lot_id].scope for lot_id in windows}
    return Claim(
        owner=process.number,
        reservation=reservation,
        token=SEAL.seal(reservation),
        user_id=question.key.user_id,
        family_id=question.key.family_id,
        scope=scopes.pop() if scopes else "",
        covers=frozenset(drawn[lot_id].name for lot_id in windows),
        is_capped=bool(reservation.cap_lot_id),
        request_id=question.request_id,
        asked=question.asked,
        grants={int(drawn[lot_id].scope): micro for lot_id, micro in reservation.grants},
        ends_steady_ms=steady_ms + reservation.expires_ms - process.clock.now_ms(),
        lots_until_ms={
            lot_id: 0 if lot is None else NEVER_MS if lot.end_ms is None else lot.end_ms
            for lot_id, lot in found.items()
        },
    )


async def _together(work: list[Coroutine[Any, Any, Hold | Refused]]) -> list[Hold | Refused]:
    return list(await asyncio.gather(*work))
