"""Formats: what is faster than Babel says the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from farebox.contract.texts import LANGUAGES, Language
from farebox.core.credits import to_number
from farebox.core.report import ratio
from farebox.dashboard.formats import LOCALES, Formats


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.integers(-(10**19), 10**19), st.integers(0, 3), st.booleans())
def test_numbers_are_written_as_babel_writes_them(
    language: Language, value: int, places: int, is_credits: bool
) -> None:
    number: Decimal | int = to_number(value) if is_credits else ratio(abs(value), 7, places)
    written = format_decimal(number, locale=LOCALES[language], decimal_quantization=False)
    assert Formats(language).number_text(number) == written


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [("13.45", 3, "13.450%"), ("0", 2, "0.00%"), ("12.345", 2, "12.345%"), ("37", 0, "37%")],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_percentage_has_at_least_the_places_of_its_column_and_is_never_rounded(
    language: Language, value: str, places: int, shown: str
) -> None:
    assert f">{shown}<" in Formats(language).percent(Decimal(value), places=places)
