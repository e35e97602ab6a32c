"""Ranges of dates: inclusive at the edge, bounded, and refused with a reason."""

from __future__ import annotations

import pytest

from farebox.core.errors import INVALID_DATE, INVERTED_RANGE, RANGE_TOO_LONG, FareboxError
from farebox.service.date_range import DAYS_MAX, date_range, open_range


def test_both_dates_belong_to_a_range() -> None:
    assert date_range("1970-01-01", "1970-01-01") == (0, 1)
    assert date_range("1970-01-02", "1970-01-31") == (1, 31)
    assert date_range("0001-01-01", "0001-01-02").end_day < 0
    assert date_range("9999-12-31", "9999-12-31")


def test_a_range_has_at_most_400_days() -> None:
    assert date_range("2024-01-01", "2025-02-03") == (19723, 19723 + DAYS_MAX)
    with pytest.raises(FareboxError) as refused:
        date_range("2024-01-01", "2025-02-04")
    assert refused.value.kind is RANGE_TOO_LONG
    assert "400" in refused.value.message


def test_a_start_after_the_end_is_refused() -> None:
    with pytest.raises(FareboxError) as refused:
        date_range("2026-05-02", "2026-05-01")
    assert refused.value.kind is INVERTED_RANGE


@pytest.mark.parametrize("text", ["", "2026-5-1", "2026-02-29", "01-05-2026", "٢٠٢٦-٠٥-٠١", "x"])
def test_what_is_no_date_is_refused_by_its_field(text: str) -> None:
    for dates, field in (((text, "2026-05-01"), "start"), (("2026-05-01", text), "end")):
        with pytest.raises(FareboxError) as refused:
            date_range(*dates)
        assert (refused.value.kind, refused.value.params["field"]) == (
            INVALID_DATE,
            f"{field}_date",
        )


def test_an_open_range_may_lack_either_end() -> None:
    assert open_range(None, None) == (None, None)
    assert open_range("1970-01-02", None) == (1, None)
    assert open_range(None, "1970-01-02") == (None, 2)
    assert open_range("1970-01-02", "1970-01-02") == (1, 2)
    with pytest.raises(FareboxError):
        open_range("1970-01-03", "1970-01-02")
