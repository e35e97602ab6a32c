"""Plans: whose price counts, and limits for all licences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.log_type import LogType, Price
from farebox.core.plan import Plan, WindowLimits, licensed
from tests.core.strategies import quick

NO_LIMITS = WindowLimits(None, None, None)


def plan(prices: dict[int, tuple[Price, ...]]) -> Plan:
    return Plan(
        plan_id=1,
        slug="gold",
        name="Gold",
        credits_per_month_micro=0,
        api=NO_LIMITS,
        portal=NO_LIMITS,
        requests_per_minute=None,
        requests_per_second=None,
        is_api_access_available=True,
        is_quota_sharing_available=True,
        unmapped="deny",
        is_shadow=False,
        prices=prices,
    )


def log_type(*prices: Price) -> LogType:
    return LogType(7, "search", "Search", None, None, prices)


def test_a_plans_own_price_counts_from_its_first_instant() -> None:
    gold = plan({7: (Price(100, 2, 2), Price(200, 4, 4)), 8: (Price(0, 99, 99),)})
    search = log_type(Price(0, 1, 1), Price(150, 3, 3))
    found = [gold.price(search, ms).credits_micro for ms in (-1, 0, 99, 100, 150, 199, 200)]
    assert found == [1, 1, 1, 2, 2, 2, 4]


def test_without_a_price_of_the_plan_the_log_types_counts() -> None:
    search = log_type(Price(50, 1, 2), Price(150, 3, 5))
    assert plan({}).price(search, 149) == Price(50, 1, 2)
    assert plan({}).price(search, 150) == Price(150, 3, 5)
    assert plan({}).price(search, 10) == Price(50, 1, 2)


def test_a_log_type_without_a_price_costs_nothing() -> None:
    assert plan({}).price(log_type(), 10) == Price(0, 0, 0)


@given(st.integers(0, 10**6), st.integers(1, 1000))
@quick
def test_a_limit_is_multiplied_by_the_licences(limit: int, licences: int) -> None:
    assert licensed(limit, licences) == limit * licences


def test_no_limit_stays_no_limit_and_none_allowed_stays_none_allowed() -> None:
    assert licensed(None, 34) is None
    assert licensed(0, 34) == 0
