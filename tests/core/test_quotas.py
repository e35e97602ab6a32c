"""Quotas: left and used make the maximum, told from the books by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.ledger import SPENT, Grant, Purse, charge, expire, issue
from farebox.core.quotas import PeriodSums, Quotas, quotas
from tests.core.strategies import thorough

START_MS = 1_704_067_200_000
END_MS = 1_706_745_600_000
CREDIT = 1_000_000


def of(period: PeriodSums, balance_micro: int) -> Quotas:
    return quotas("Acme", "uid", "Gold", period, balance_micro)


def period(
    opening: int = 0, granted: int = 0, expired: int = 0, charged: int = 0, corrected: int = 0
) -> PeriodSums:
    return PeriodSums(START_MS, END_MS, opening, granted, expired, charged, corrected)


moves = st.lists(
    st.tuples(
        st.sampled_from(("charge", "correct", "grant", "give back", "expire")),
        st.integers(1, 5) | st.integers(1, 3 * CREDIT),
    ),
    max_size=12,
)


@given(st.integers(0, 5 * CREDIT), moves)
@thorough
def test_left_and_used_make_the_maximum_but_for_overdraft_and_rounding(
    opening: int, played: list[tuple[str, int]]
) -> None:
    purse = Purse((Grant(1, "plan", 0, 0, None, opening),) if opening else (), 0)
    now_ms = START_MS
    granted = expired = charged = corrected = 0
    for number, (move, amount) in enumerate(played, start=2):
        grant = Grant(number, "topup", 0, now_ms, now_ms + 2 * amount, amount)
        now_ms += 1
        if move == "grant":
            purse, _ = issue(purse, grant)
            granted += amount
        elif move == "give back" and amount <= charged + corrected:
            purse, _ = issue(purse, grant._replace(kind="correction", expires_at_ms=None), SPENT)
            corrected -= amount
        elif move == "expire":
            purse, transfers = expire(purse, now_ms)
            expired += sum(t.amount_micro for t in transfers)
        elif move in {"charge", "correct"}:
            purse, _ = charge(purse, amount, now_ms)
            charged += amount if move == "charge" else 0
            corrected += amount if move == "correct" else 0
    purse, transfers = expire(purse, now_ms)
    expired += sum(t.amount_micro for t in transfers)
    sums = period(opening, granted, expired, charged, corrected)
    found = of(sums, purse.balance_micro(now_ms))
    together = found.credits_left_micro + found.credits_used_micro
    assert found.credits_used_micro == charged + corrected
    if purse.owed_micro:
        assert found.credits_left_micro == 0
    else:
        assert 0 <= found.credits_max * CREDIT - together < CREDIT


def test_an_overdraft_at_the_start_counts_as_nothing() -> None:
    found = of(period(opening=-10 * CREDIT, granted=100 * CREDIT), 90 * CREDIT)
    assert found.credits_max == 100
    assert found.credits_left_micro == 90 * CREDIT
    assert found.credits_used_micro == 0


def test_what_expired_unspent_is_no_longer_part_of_the_maximum() -> None:
    found = of(period(opening=50 * CREDIT, granted=20 * CREDIT, expired=30 * CREDIT), 40 * CREDIT)
    assert found.credits_max == 40


def test_the_maximum_is_rounded_up_and_nothing_else_is() -> None:
    found = of(period(granted=2 * CREDIT + 1, charged=1), 2 * CREDIT)
    assert found.credits_max == 3
    assert found.credits_left_micro == 2 * CREDIT
    assert found.credits_used_micro == 1


def test_nothing_is_below_zero() -> None:
    # What was given back for an older period has expired again.
    found = of(period(expired=5 * CREDIT, corrected=-5 * CREDIT), -3 * CREDIT)
    assert found[2:5] == (0, 0, 0)


def test_the_end_is_the_last_second_of_the_period() -> None:
    found = of(period(), 0)
    assert found.current_month_start_ms == START_MS
    assert found.current_month_last_ms == END_MS - 1_000
