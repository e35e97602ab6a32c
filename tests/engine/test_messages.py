"""Messages: what goes in comes out, in pieces of any size; what is no frame is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.errors import BODY_TOO_LARGE, FareboxError
from farebox.core.request import Capture
from farebox.engine import messages
from farebox.engine.messages import (
    Answered,
    Call,
    Failed,
    FrameBuffer,
    Message,
    Record,
    Recorded,
    Reply,
    Said,
    decode_message,
    decode_reply,
    encode,
)
from tests.support.worlds import request

ASKED: list[Message] = [
    Record(1, [request(7, "a"), request(8, "b", status_code=None)], [], is_import=True),
    Record(2, [request(7, "c")], [Capture(7, b"x" * 16, "{}", "in", "out")]),
    Call(2**40, "plans.create", b"\x80", "admin:t", "key"),
    Call(4, "plans.create", b"", "cli:me"),
]
ANSWERED: list[Reply] = [
    Recorded(1, 17, [0], [1, 2], [(3, 42207)]),
    Answered(2, b"\x01", 9),
    Failed(3, 40401, {"what": "plan", "n": 3, "none": None, "said": Said("x", {"a": 1})}, "why"),
]


@given(st.lists(st.sampled_from(ASKED), max_size=6), st.integers(1, 4000))
def test_messages_come_out_as_they_went_in(sent: list[Message], piece_bytes: int) -> None:
    stream = b"".join(encode(message) for message in sent)
    frames = FrameBuffer()
    found = []
    for start in range(0, len(stream), piece_bytes):
        found += frames.feed(stream[start : start + piece_bytes])
    assert [decode_message(body) for body in found] == sent


@pytest.mark.parametrize("reply", ANSWERED, ids=lambda reply: type(reply).__name__)
def test_replies_come_out_as_they_went_in(reply: Reply) -> None:
    (body,) = FrameBuffer().feed(encode(reply))
    assert decode_reply(body) == reply


@pytest.mark.parametrize("over", [0, 1])
def test_a_frame_has_a_largest_size(monkeypatch: pytest.MonkeyPatch, over: int) -> None:
    call = Call(1, "x", b"y" * 1000, "me")
    size_bytes = len(encode(call)) - 4
    monkeypatch.setattr(messages, "FRAME_BYTES_MAX", size_bytes - over)
    if not over:
        assert len(FrameBuffer().feed(encode(call))) == 1
        return
    with pytest.raises(FareboxError) as refused:
        encode(call)
    assert refused.value.kind is BODY_TOO_LARGE
    with pytest.raises(ValueError, match="a frame of"):
        FrameBuffer().feed(size_bytes.to_bytes(4, "big"))


@given(st.binary(max_size=200))
def test_garbage_is_no_message(body: bytes) -> None:
    try:
        message = decode_message(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        return
    assert decode_message(encode(message)[4:]) == message
