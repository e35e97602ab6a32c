"""Credits: exact both ways, and never a float."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.credits import (
    CREDITS_MICRO_MAX,
    ceil_whole,
    to_micro,
    to_number,
    to_text,
)
from tests.core.strategies import thorough

micros = st.integers(-CREDITS_MICRO_MAX, CREDITS_MICRO_MAX)


@given(micros)
@thorough
def test_a_number_of_credits_survives_both_ways(micro: int) -> None:
    assert to_micro(to_number(micro)) == micro
    assert to_micro(to_text(micro)) == micro
    assert to_micro(str(to_number(micro))) == micro


@given(micros)
@thorough
def test_a_number_leaves_without_artefacts(micro: int) -> None:
    number = to_number(micro)
    if micro % 1_000_000 == 0:
        assert type(number) is int
    else:
        assert isinstance(number, Decimal)
        assert "E" not in str(number)
        assert not str(number).endswith("0")
    text = to_text(micro)
    assert "E" not in text
    assert Decimal(text) == number


@given(micros)
@thorough
def test_whole_credits_are_rounded_up(micro: int) -> None:
    whole = ceil_whole(micro)
    assert type(whole) is int
    assert 0 <= whole * 1_000_000 - micro < 1_000_000


@pytest.mark.parametrize(
    ("credits", "micro"),
    [
        (0, 0),
        (3, 3_000_000),
        (Decimal("0.000001"), 1),
        (Decimal("-0.5"), -500_000),
        (Decimal("1E+3"), 1_000_000_000),
        ("1250.5", 1_250_500_000),
        ("1.000000000000000000000000000000000000", 1_000_000),
        (10**9, CREDITS_MICRO_MAX),
        (-(10**9), -CREDITS_MICRO_MAX),
    ],
)
def test_an_exact_number_is_taken(credits: Decimal | int | str, micro: int) -> None:
    assert to_micro(credits) == micro


@pytest.mark.parametrize(
    "credits",
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        Decimal("0.0000001"),
        Decimal("1.0000000000000000000000000000000000000001"),
        Decimal("1E-1500000"),
        Decimal("1E+1500000"),
        Decimal("1000000000.000001"),
        10**9 + 1,
        10**12,
        "",
        "three",
        "1,5",
        "0x10",
    ],
)
def test_what_is_no_exact_number_of_credits_is_refused(credits: Decimal | int | str) -> None:
    with pytest.raises(ValueError, match="a number of credits"):
        to_micro(credits)
