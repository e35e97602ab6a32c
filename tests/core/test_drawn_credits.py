"""Drawn credits: set apart from their grants, charged or given back, whatever becomes of those."""

from __future__ import annotations

import pytest

from farebox.core.ledger import (
    EXPIRED,
    OVERDRAFT,
    SPENT,
    Grant,
    Purse,
    Transfer,
    charge,
    charge_drawn,
    draw,
    expire,
    give_back,
)

NOW_MS = 1_000


def grant(grant_id: int, *, left: int = 10, drawn: int = 0, ends: int | None = None) -> Grant:
    return Grant(grant_id, "topup", 0, 0, ends, left, drawn)


def test_credits_are_drawn_in_spending_order_and_stay_in_the_balance() -> None:
    purse = Purse((grant(1), grant(2, ends=NOW_MS + 5)), 0)
    drawn, transfers, pieces = draw(purse, 14, NOW_MS)
    assert transfers == [
        Transfer("draw", "grant:2", "drawn:2", 10),
        Transfer("draw", "grant:1", "drawn:1", 4),
    ]
    assert [(g.grant_id, micro) for g, micro in pieces] == [(2, 10), (1, 4)]
    assert drawn.undrawn_micro(NOW_MS) == 6
    assert drawn.balance_micro(NOW_MS) == purse.balance_micro(NOW_MS) == 20


def test_only_what_is_needed_is_drawn() -> None:
    drawn, transfers, pieces = draw(Purse((grant(1), grant(2)), 0), 10, NOW_MS)
    assert len(transfers) == len(pieces) == 1
    assert drawn.grants[1] == grant(2)


@pytest.mark.parametrize("amount", [0, -1, 11])
def test_more_than_there_is_or_nothing_is_no_draw(amount: int) -> None:
    with pytest.raises(AssertionError):
        draw(Purse((grant(1),), 0), amount, NOW_MS)


def test_reported_usage_takes_nothing_that_is_drawn() -> None:
    purse, transfers = charge(Purse((grant(1, left=3, drawn=7),), 0), 5, NOW_MS)
    assert transfers == [
        Transfer("charge", "grant:1", SPENT, 3),
        Transfer("charge", OVERDRAFT, SPENT, 2),
    ]
    assert purse == Purse((grant(1, left=0, drawn=7),), 2)


def test_what_is_drawn_outlives_its_grant() -> None:
    purse, transfers = expire(Purse((grant(1, left=3, drawn=7, ends=NOW_MS),), 0), NOW_MS)
    assert transfers == [Transfer("expiry", "grant:1", EXPIRED, 3)]
    assert purse.balance_micro(NOW_MS) == 0
    assert purse.book_micro == 7
    assert expire(purse, NOW_MS) == (purse, [])
    purse, transfers = charge_drawn(purse, {1: 5})
    assert transfers == [Transfer("charge", "drawn:1", SPENT, 5)]
    purse, transfers = give_back(purse, {1: 2}, NOW_MS)
    assert transfers == [Transfer("expiry", "drawn:1", EXPIRED, 2)]
    assert purse == Purse((), 0)


def test_what_comes_back_can_be_spent_again() -> None:
    purse, transfers = give_back(Purse((grant(1, left=0, drawn=7),), 0), {1: 4}, NOW_MS)
    assert transfers == [Transfer("return", "drawn:1", "grant:1", 4)]
    assert purse == Purse((grant(1, left=4, drawn=3),), 0)


def test_what_comes_back_pays_what_is_owed_first() -> None:
    purse, transfers = give_back(Purse((grant(1, left=0, drawn=7),), 3), {1: 7}, NOW_MS)
    assert transfers == [
        Transfer("return", "drawn:1", "grant:1", 7),
        Transfer("repay", "grant:1", OVERDRAFT, 3),
    ]
    assert purse == Purse((grant(1, left=4),), 0)


def test_more_than_is_drawn_is_neither_charged_nor_given_back() -> None:
    purse = Purse((grant(1, drawn=2),), 0)
    with pytest.raises(AssertionError):
        charge_drawn(purse, {1: 3})
    with pytest.raises(AssertionError):
        give_back(purse, {1: 3}, NOW_MS)
