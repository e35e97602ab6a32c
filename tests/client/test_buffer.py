"""The buffer: bounded, in order, and nothing leaves it before the server has answered for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.client import ApiError, Batching, BufferFullError, TransportError
from farebox.client.buffer import Buffer
from farebox.client.metering import OPENING, encoded, record_call
from farebox.contract.metering import (
    BODY_BYTES_MAX,
    Conflict,
    RecordAnswer,
    Rejected,
    RequestRow,
)

ALL_WELL = RecordAnswer(1, 0, [], [])


def row(request_id: str, path: str = "/") -> bytes:
    return encoded(RequestRow(id=request_id, key_id="key_1", path=path))


def filled(count: int, batching: Batching | None = None, *, at: float = 0.0) -> Buffer:
    buffer = Buffer(batching or Batching())
    for number in range(count):
        buffer.add(row(str(number)), at)
    return buffer


def test_a_batch_is_due_when_its_first_row_is_old_enough() -> None:
    buffer = Buffer(Batching(age_seconds_max=2))
    assert buffer.due_in(10.0) is None
    buffer.add(row("a"), 10.0)
    buffer.add(row("b"), 11.5)
    assert buffer.due_in(11.5) == 0.5
    assert buffer.due_in(12.0) == 0.0


def test_a_batch_is_due_when_it_is_full() -> None:
    buffer = filled(2, Batching(rows_max=3, age_seconds_max=60))
    assert buffer.due_in(0.0) == 60.0
    assert buffer.add(row("c"), 0.0)
    assert buffer.due_in(0.0) == 0.0


def test_a_batch_is_due_when_it_is_large() -> None:
    buffer = Buffer(Batching(bytes_max=4_096, age_seconds_max=60))
    buffer.add(row("a", "/" * 2_000), 0.0)
    assert buffer.due_in(0.0) == 60.0
    buffer.add(row("b", "/" * 2_500), 0.0)
    assert buffer.due_in(0.0) == 0.0


def test_no_call_is_larger_than_it_may_be() -> None:
    batching = Batching(bytes_max=4_096)
    buffer = Buffer(batching)
    for number in range(50):
        buffer.add(row(str(number), "/" * (37 * number)), 0.0)
    while (batch := buffer.take(buffer.mark)) is not None:
        body = record_call(batch).body
        assert body is not None
        assert len(body) <= batching.bytes_max
        assert body.startswith(OPENING)
        buffer.settle(batch, ALL_WELL)
    assert len(buffer) == 0


def test_a_row_that_no_call_can_hold_is_refused_where_it_is_told() -> None:
    buffer = Buffer(Batching(bytes_max=4_096))
    with pytest.raises(ValueError, match="3072 bytes at most"):
        buffer.add(row("a", "/" * 4_000), 0.0)
    assert len(buffer) == 0


def test_a_full_buffer_takes_no_more_rows() -> None:
    buffer = filled(3, Batching(rows_max=2, buffer_rows_max=3))
    with pytest.raises(BufferFullError, match="3 requests wait"):
        buffer.add(row("d"), 0.0)
    batch = buffer.take(buffer.mark)
    assert batch is not None
    with pytest.raises(BufferFullError):
        buffer.add(row("d"), 0.0)  # what is on its way still counts
    buffer.settle(batch, ALL_WELL)
    buffer.add(row("d"), 0.0)
    assert len(buffer) == 2


def test_a_full_buffer_takes_no_more_bytes_and_says_what_keeps_it_full() -> None:
    buffer = Buffer(Batching(buffer_bytes_max=200))
    buffer.add(row("a", "/" * 100), 0.0)
    buffer.put_off(TransportError("No answer."), 0.0)
    with pytest.raises(BufferFullError) as full:
        buffer.add(row("b", "/" * 100), 0.0)
    assert isinstance(full.value.__cause__, TransportError)
    batch = buffer.take(buffer.mark)
    assert batch is not None
    buffer.settle(batch, ALL_WELL)
    buffer.add(row("b", "/" * 100), 0.0)


def test_a_batch_that_failed_is_the_next_one_again_and_waits_longer_each_time() -> None:
    buffer = filled(2, Batching(wait_seconds_max=5))
    first = buffer.take(buffer.mark)
    waits = []
    for _ in range(5):
        buffer.put_off(TransportError("No answer."), 100.0)
        waits.append(buffer.due_in(100.0))
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert buffer.take(buffer.mark) == first
    assert first is not None
    buffer.settle(first, ALL_WELL)
    buffer.add(row("z"), 100.0)
    assert buffer.due_in(100.0) == 1.0  # the age alone


def test_a_server_that_asks_to_be_left_alone_is_left_alone_for_an_hour_at_most() -> None:
    buffer = filled(1)
    buffer.put_off(ApiError(503, None, "Later.", retry_after=90.0), 0.0)
    assert buffer.due_in(0.0) == 90.0
    buffer.put_off(ApiError(503, None, "Later.", retry_after=9e8), 0.0)
    assert buffer.due_in(0.0) == 3_600.0


def test_what_is_too_large_is_halved_until_one_row_is_left_and_let_go() -> None:
    buffer = filled(5, Batching(rows_max=4))
    too_large = ApiError(413, None, "Too large.")
    sizes, failed = [], []
    while (batch := buffer.take(buffer.mark)) is not None:
        sizes.append(len(batch))
        if b'"0"' in b"".join(batch):
            failed += buffer.halve(batch, too_large)
        else:
            buffer.settle(batch, ALL_WELL)
    assert sizes == [4, 2, 1, 1, 2, 1]
    assert [(f.reason, f.row.id) for f in failed] == [("rejected", "0")]


def test_what_was_not_recorded_is_told_row_by_row() -> None:
    buffer = filled(4)
    batch = buffer.take(buffer.mark)
    assert batch is not None
    answer = RecordAnswer(2, 0, [Conflict(3, "3")], [Rejected(1, 42204, "No such key.")])
    failed = buffer.settle(batch, answer)
    assert [(f.reason, f.row.id, f.code) for f in failed] == [
        ("rejected", "1", 42204),
        ("conflict", "3", None),
    ]


def test_what_is_given_up_is_told_row_by_row() -> None:
    buffer = filled(3)
    failed = buffer.abandon(TransportError("No answer."))
    assert [(f.reason, f.row.id, f.message) for f in failed] == [
        ("unsent", str(number), "No answer.") for number in range(3)
    ]
    assert len(buffer) == 0


@pytest.mark.parametrize(
    "bounds",
    [
        {"rows_max": 0},
        {"rows_max": 10_001},
        {"bytes_max": 1},
        {"bytes_max": BODY_BYTES_MAX + 1},
        {"buffer_rows_max": 0},
        {"age_seconds_max": -1},
        {"wait_seconds_max": 0},
    ],
    ids=str,
)
def test_the_bounds_are_those_of_the_server(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(bounds))):
        Batching(**bounds)


STEPS = st.lists(st.sampled_from(["add", "well", "fail", "large"]), max_size=200)


@given(steps=STEPS, rows_max=st.integers(1, 7))
def test_each_row_is_settled_once_and_in_its_order(steps: list[str], rows_max: int) -> None:
    buffer = Buffer(Batching(rows_max=rows_max, buffer_rows_max=40))
    added: list[bytes] = []
    settled: list[bytes] = []

    def send(outcome: str) -> None:
        batch = buffer.take(buffer.mark)
        if batch is None:
            return
        assert len(batch) <= rows_max
        if outcome == "fail":
            buffer.put_off(TransportError("No answer."), 0.0)
        elif outcome == "large":
            settled.extend(encoded(f.row) for f in buffer.halve(batch, ApiError(413, None, "")))
        else:
            buffer.settle(batch, ALL_WELL)
            settled.extend(batch)

    for step in steps:
        if step == "add" and len(buffer) < 40:
            added.append(row(str(len(added))))
            buffer.add(added[-1], 0.0)
        elif step != "add":
            send(step)
        assert added == settled + added[len(settled) :]
        assert len(buffer) == len(added) - len(settled)
    while len(buffer):
        send("well")
    assert settled == added
