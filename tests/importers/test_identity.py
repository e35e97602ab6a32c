"""No equal line is dropped, no line counts twice, and the memory is bounded."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.identity import RAW_BYTES_MAX
from farebox.importers.identity import Ordinals, line_digest, line_request_id
from farebox.importers.refusal import Reason, Refused
from tests.importers.logs import APACHE, ONE_KEY_ID, drafter

SPAN_MS = 16_384


def short(number: int) -> bytes:
    """A digest that no other number has."""
    return hashlib.blake2b(str(number).encode(), digest_size=24).digest()


def test_equal_lines_get_rising_ordinals() -> None:
    reading = drafter("combined", ONE_KEY_ID)
    ids = [reading.draft(number, APACHE).request_id for number in range(1, 4)]
    assert ids[1:] == [f"{ids[0]}-1", f"{ids[0]}-2"]
    assert drafter("combined", ONE_KEY_ID).draft(9, APACHE).request_id == ids[0]


def test_the_id_is_the_second_and_the_digest_of_the_line() -> None:
    found = drafter("combined", ONE_KEY_ID).draft(1, APACHE)
    digest = hashlib.blake2b(APACHE, digest_size=24).hexdigest()
    assert found.request_id == f"{found.time_ms // 1000:08x}{digest}"


def test_ids_grow_with_time_and_are_kept_as_they_are() -> None:
    times = range(0, 4_000_000_000_000, 123_456_789_012)
    ids = [line_request_id(time_ms, line_digest(b"x"), 0) for time_ms in times]
    assert ids == sorted(ids)
    assert len(line_request_id(max(times), line_digest(b"x"), 9_999_999)) <= RAW_BYTES_MAX


@given(
    st.lists(st.tuples(st.integers(0, 8 * SPAN_MS), st.integers(0, 3)), max_size=300),
    st.integers(0, 20),
)
def test_ordinals_are_right_in_any_order_of_the_lines(
    lines: list[tuple[int, int]], open_lines_max: int
) -> None:
    ordinals = Ordinals(open_lines_max=open_lines_max)
    seen: dict[tuple[int, int], int] = {}
    for time_ms, number in lines:
        # Equal lines have equal times: the digest is of both.
        digest = short(time_ms * 10 + number)
        expected = seen.get((time_ms, number), 0)
        assert ordinals.next(time_ms, digest) == expected
        seen[time_ms, number] = expected + 1


@given(st.permutations(range(40)), st.integers(0, 10), st.integers(0, 10))
def test_a_line_whose_ordinal_was_forgotten_is_refused_and_never_miscounted(
    spans: list[int], open_lines_max: int, resting_lines_max: int
) -> None:
    ordinals = Ordinals(open_lines_max, resting_lines_max)
    for span in spans:
        ordinals.next(span * SPAN_MS, short(span))
    outcomes: set[object] = set()
    for span in spans:
        try:
            outcomes.add(ordinals.next(span * SPAN_MS, short(span)))
        except Refused as refused:
            outcomes.add(refused.reason)
    assert outcomes <= {1, Reason.OUT_OF_ORDER}


def test_a_forgotten_line_is_told_to_be_out_of_order() -> None:
    ordinals = Ordinals(open_lines_max=1, resting_lines_max=1)
    for span in range(10):
        ordinals.next(span * SPAN_MS, short(span))
    with pytest.raises(Refused) as refused:
        ordinals.next(0, short(0))
    assert refused.value.reason == Reason.OUT_OF_ORDER
    assert ordinals.next(9 * SPAN_MS, short(9)) == 1


def test_a_line_takes_a_dozen_bytes_of_memory() -> None:
    lines, a_second = 60_000, 100
    ordinals = Ordinals(open_lines_max=2_000)
    digests = [short(number) for number in range(lines)]
    tracemalloc.start()
    try:
        for number, digest in enumerate(digests):
            ordinals.next(number * 1000 // a_second, digest)
        used_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used_bytes < 12 * lines
    assert peak_bytes < 12 * lines + 1_000_000
