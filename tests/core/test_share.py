"""Shares: no process locks much away, and near a limit units go one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.share import PARTS, share

counts = st.integers(0, 10**12)


@given(left=counts, wanted=counts, least=st.integers(1, 10**6))
def test_a_share_is_within_what_is_left_and_of_use(left: int, wanted: int, least: int) -> None:
    found = share(left, wanted, least)
    assert 0 <= found <= left
    if wanted and left >= least:
        assert found >= least
        assert found <= max(least, left // PARTS)
    else:
        assert found == 0


@given(left=st.integers(-100, 1_000), wanted=st.integers(1, 1_000))
def test_who_asks_again_and_again_gets_every_unit_once(left: int, wanted: int) -> None:
    given_out = 0
    while found := share(left - given_out, wanted):
        given_out += found
    assert given_out == max(0, left)


def test_units_go_one_by_one_near_the_limit() -> None:
    assert [share(left, 100) for left in (15, 8, 1, 0)] == [1, 1, 1, 0]


def test_what_would_be_of_no_use_is_left_to_others() -> None:
    assert share(29, 100, 30) == 0
    assert share(30, 100, 30) == 30
    assert share(1_000, 200, 30) == 125
