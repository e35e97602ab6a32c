"""Ratios are exact and cut; the echo of filters drops what is empty and nothing else."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.report import echo_filters, percent, ratio
from tests.core.strategies import thorough

counts = st.integers(0, 10**18)
places = st.integers(0, 6)


@given(counts, st.integers(1, 10**18), places)
@thorough
def test_a_ratio_is_cut_and_never_rounded(part: int, whole: int, digits: int) -> None:
    number = ratio(part, whole, digits)
    exact = Fraction(part, whole)
    assert Fraction(number) == Fraction(floor(exact * 10**digits), 10**digits)
    assert percent(part, whole, digits) == ratio(100 * part, whole, digits)


@given(counts, counts, places)
@thorough
def test_a_ratio_has_no_trailing_zeros(part: int, whole: int, digits: int) -> None:
    number = ratio(part, whole, digits)
    if isinstance(number, Decimal):
        assert "E" not in str(number)
        assert not str(number).endswith(("0", "."))
    else:
        assert type(number) is int


@pytest.mark.parametrize("part", [0, 1, 10**12])
def test_a_share_of_nothing_is_zero(part: int) -> None:
    assert percent(part, 0, 3) == 0


def test_a_negative_amount_is_a_fault_of_the_caller() -> None:
    with pytest.raises(AssertionError):
        ratio(-1, 1, 2)
    with pytest.raises(AssertionError):
        ratio(1, -1, 2)


# From the example of the seed usage_breakdown: part, whole, places, what is documented.
DOCUMENTED = [
    (929, 5192, 3, "17.892"),
    (175, 5192, 3, "3.37"),
    (42766, 43013, 3, "99.425"),
    (187, 43013, 3, "0.434"),
    (4088, 5192, 2, "78.73"),
    (368, 5192, 2, "7.08"),
    (1101, 43013, 2, "2.55"),
    # Documented as 95.82, which alone is rounded.
    (41215, 43013, 2, "95.81"),
]


@pytest.mark.parametrize(("part", "whole", "digits", "documented"), DOCUMENTED)
def test_percentages_are_cut_as_documented(
    part: int, whole: int, digits: int, documented: str
) -> None:
    assert str(percent(part, whole, digits)) == documented


def test_the_echo_drops_what_is_empty_and_keeps_false_and_zero() -> None:
    sent: dict[str, object] = {
        "nothing": None,
        "text": "",
        "list": [],
        "tuple": (),
        "object": {},
        "false": False,
        "zero": 0,
        "no_credits": Decimal(0),
        "space": " ",
        "slugs": [""],
        "start_date": "2026-05-01",
    }
    assert echo_filters(sent) == {
        "false": False,
        "zero": 0,
        "no_credits": Decimal(0),
        "space": " ",
        "slugs": [""],
        "start_date": "2026-05-01",
    }
    assert list(echo_filters({"b": 1, "a": 2})) == ["b", "a"]
