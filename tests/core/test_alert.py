"""Alerts: a threshold is reached exactly when its share of the limit is used."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.alert import are_thresholds, reached


@pytest.mark.parametrize("thresholds", [[1], [50, 80, 100], [1000], list(range(1, 11))])
def test_thresholds_are_ascending_percents(thresholds: list[int]) -> None:
    assert are_thresholds(thresholds)


@pytest.mark.parametrize("thresholds", [[], [0], [1001], [80, 50], [50, 50], list(range(1, 12))])
def test_other_thresholds_are_none(thresholds: list[int]) -> None:
    assert not are_thresholds(thresholds)


@given(st.integers(1, 1000), st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_threshold_is_reached_exactly_at_its_share(percent: int, used: int, limit: int) -> None:
    is_reached = Fraction(used, limit) >= Fraction(percent, 100)
    assert reached([percent], used, limit) == ([percent] if is_reached else [])


def test_without_a_limit_none_is_reached_and_without_use_neither() -> None:
    assert reached([50, 100], 10**9, None) == []
    assert reached([50, 100], 0, 10) == []
    assert reached([50, 100], 0, 0) == []


def test_where_nothing_is_allowed_the_first_use_reaches_all() -> None:
    assert reached([50, 1000], 1, 0) == [50, 1000]
