"""The forecast against the ledger itself, spending step by step, and against sums made by hand."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.forecast import Forecast, Pace, Refill, forecast
from farebox.core.instant import MS_PER_DAY
from farebox.core.ledger import Grant, Purse, charge, expire, issue
from tests.core.strategies import thorough

CREDIT = 1_000_000
NOW_MS = 1_777_982_400_000
WEEK = 7


def purse(*grants: tuple[int, int | None], owed: int = 0, drawn: int = 0) -> Purse:
    """A purse of (micro-credits, days until they expire or None)."""
    made = [
        Grant(n, "topup", 0, 0, None if days is None else NOW_MS + days * MS_PER_DAY, micro, drawn)
        for n, (micro, days) in enumerate(grants)
    ]
    return Purse(tuple(made), owed)


def refill(days: int, length: int, credits: int) -> Refill:
    at_ms = NOW_MS + days * MS_PER_DAY
    return Refill(at_ms, at_ms + length * MS_PER_DAY, credits * CREDIT)


def days_until(found: Forecast) -> float:
    assert found.runs_out_ms is not None
    return (found.runs_out_ms - NOW_MS) / MS_PER_DAY


def a_day(credits: int) -> Pace:
    return Pace(WEEK * credits * CREDIT, WEEK)


def test_a_balance_lasts_as_many_days_as_the_pace_goes_into_it() -> None:
    found = forecast(purse((50 * CREDIT, None)), 0, NOW_MS, refill(20, 30, 0), a_day(10))
    assert found == Forecast(
        "runs_out", NOW_MS + 5 * MS_PER_DAY, refill(20, 30, 0).at_ms, a_day(10)
    )
    assert found.pace is not None
    assert found.pace.a_day_micro == 10 * CREDIT


def test_what_expires_first_is_spent_first_and_its_rest_is_lost() -> None:
    both = purse((50 * CREDIT, None), (40 * CREDIT, 2))
    # 20 of the 40 are spent in two days, 20 are lost; then 50 last for five days.
    assert days_until(forecast(both, 0, NOW_MS, refill(20, 30, 0), a_day(10))) == 7


def test_credits_that_expire_unspent_with_nothing_behind_them_end_there() -> None:
    found = forecast(purse((40 * CREDIT, 2)), 0, NOW_MS, refill(20, 30, 0), a_day(10))
    assert (found.outcome, days_until(found)) == ("runs_out", 2)


def test_what_lasts_beyond_this_period_says_when_it_runs_out_in_the_next() -> None:
    found = forecast(purse((50 * CREDIT, None)), 0, NOW_MS, refill(4, 30, 100), a_day(10))
    # 10 are left at the end; with the plan's 100 they last for 11 days more.
    assert (found.outcome, days_until(found)) == ("lasts", 15)


def test_a_plan_that_gives_enough_lasts() -> None:
    found = forecast(purse((50 * CREDIT, 4)), 0, NOW_MS, refill(4, 30, 300), a_day(10))
    assert (found.outcome, found.runs_out_ms) == ("lasts", None)


def test_the_last_credit_at_the_last_instant_of_the_period_lasts() -> None:
    found = forecast(purse((40 * CREDIT, 4)), 0, NOW_MS, refill(4, 30, 300), a_day(10))
    assert found.outcome == "lasts"
    less = forecast(purse((40 * CREDIT - 1, 4)), 0, NOW_MS, refill(4, 30, 300), a_day(10))
    assert less.outcome == "runs_out"


def test_drawn_credits_count_and_held_and_owed_ones_do_not() -> None:
    full = purse((20 * CREDIT, None), drawn=30 * CREDIT)
    assert days_until(forecast(full, 10 * CREDIT, NOW_MS, refill(20, 30, 0), a_day(10))) == 4
    owing = purse((50 * CREDIT, None), owed=20 * CREDIT)
    assert days_until(forecast(owing, 0, NOW_MS, refill(20, 30, 0), a_day(10))) == 3


def test_an_empty_purse_has_run_out_now() -> None:
    found = forecast(purse(owed=5), 0, NOW_MS, refill(4, 30, 300), a_day(10))
    assert (found.outcome, found.runs_out_ms) == ("runs_out", NOW_MS)


def test_without_use_there_is_nothing_to_tell() -> None:
    for pace in (None, Pace(0, WEEK)):
        found = forecast(purse((CREDIT, None)), 0, NOW_MS, refill(4, 30, 0), pace)
        assert (found.outcome, found.runs_out_ms, found.pace) == ("unknown", None, None)


class Case(NamedTuple):
    purse: Purse
    held: int
    refill: Refill
    pace: Pace


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small numbers, so that instants and amounts meet; the pace is whole credits an hour."""
    micro = st.integers(1, 200)
    ends = st.one_of(st.none(), st.integers(1, 60))
    grants = draw(st.lists(st.tuples(micro, ends), max_size=4))
    owed = 0 if grants else draw(st.integers(0, 20))
    at, length = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    days = draw(st.integers(3, 7))
    an_hour = draw(st.integers(1, 12))
    made = [
        Grant(n, "topup", 0, 0, None if hours is None else NOW_MS + hours * HOUR, m)
        for n, (m, hours) in enumerate(grants)
    ]
    return Case(
        Purse(tuple(made), owed),
        draw(st.integers(0, 20)),
        Refill(NOW_MS + at * HOUR, NOW_MS + (at + length) * HOUR, draw(st.integers(0, 200))),
        Pace(an_hour * 24 * days, days),
    )


HOUR = MS_PER_DAY // 24


def spent_hour_by_hour(case: Case) -> tuple[int, int] | None:
    """The hour in which the ledger's balance is used up, counted from now, as a range of instants.

    Charges come at the end of each hour, and expiries and the plan's credits at its start.
    """
    book, _ = charge(case.purse, case.held, NOW_MS)
    an_hour = case.pace.credits_micro // case.pace.days // 24
    at_ms = NOW_MS
    while at_ms < case.refill.end_ms:
        if at_ms == case.refill.at_ms and case.refill.credits_micro:
            ends_ms = case.refill.end_ms
            plan = Grant(9, "plan", 0, at_ms, ends_ms, case.refill.credits_micro)
            book, _ = issue(book, plan)
        book, _ = expire(book, at_ms)
        if book.balance_micro(at_ms) <= 0:
            return at_ms, at_ms
        before = book.balance_micro(at_ms)
        if before < an_hour:
            return at_ms, at_ms + HOUR
        book, _ = charge(book, an_hour, at_ms)
        at_ms += HOUR
    return None


@given(cases())
@thorough
def test_it_is_when_the_ledger_would_be_empty(case: Case) -> None:
    found = forecast(case.purse, case.held, NOW_MS, case.refill, case.pace)
    hour = spent_hour_by_hour(case)
    if hour is None:
        assert (found.outcome, found.runs_out_ms) == ("lasts", None)
    else:
        assert found.runs_out_ms is not None
        assert hour[0] <= found.runs_out_ms <= hour[1]
        is_near = found.runs_out_ms < case.refill.at_ms
        assert found.outcome == ("runs_out" if is_near else "lasts")


@given(cases(), st.integers(1, 100), st.booleans())
@thorough
def test_more_credits_never_end_earlier_and_more_use_never_later(
    case: Case, more: int, is_credits: bool
) -> None:
    def ends_ms(found: Forecast) -> int:
        return case.refill.end_ms if found.runs_out_ms is None else found.runs_out_ms

    before = ends_ms(forecast(case.purse, case.held, NOW_MS, case.refill, case.pace))
    if is_credits:
        grants = (*case.purse.grants, Grant(8, "topup", 0, 0, None, more))
        richer = case.purse._replace(grants=grants)
        assert ends_ms(forecast(richer, case.held, NOW_MS, case.refill, case.pace)) >= before
    else:
        faster = case.pace._replace(credits_micro=case.pace.credits_micro + more)
        assert ends_ms(forecast(case.purse, case.held, NOW_MS, case.refill, faster)) <= before


@given(st.integers(1, 10**15), st.integers(1, 10**12), st.integers(3, 7))
@thorough
def test_one_balance_without_an_end_is_one_division(balance: int, cost: int, days: int) -> None:
    far = Refill(NOW_MS + 10**18, NOW_MS + 2 * 10**18, 0)
    held = forecast(purse((balance, None)), 0, NOW_MS, far, Pace(cost, days))
    expected = NOW_MS + balance * days * MS_PER_DAY // cost
    assert held.runs_out_ms == (expected if expected < far.end_ms else None)
