"""What goes to the recorder and what comes back: msgpack frames with a 4-byte length in front.

A record carries requests; a call names a command and carries its arguments. Each has a `call_id`
chosen by its sender, and gets exactly one reply, after the commit.
"""

from __future__ import annotations

import msgspec

from farebox.core.errors import BODY_TOO_LARGE, FareboxError
from farebox.core.request import Capture, MeteredRequest

FRAME_BYTES_MAX = 64 * 1024 * 1024
_HEAD_BYTES = 4


class Record(msgspec.Struct, tag="record", array_like=True, frozen=True):
    """Requests to be recorded, all or none of them acknowledged together."""

    call_id: int
    rows: list[MeteredRequest]
    captures: list[Capture] = []
    is_import: bool = False


class Call(msgspec.Struct, tag="call", array_like=True, frozen=True):
    """A command to be run in the recorder; `arguments` are msgpack."""

    call_id: int
    name: str
    arguments: bytes
    actor: str
    idempotency_key: str | None = None


class Recorded(msgspec.Struct, tag="recorded", array_like=True, frozen=True):
    """The outcome of a record, by the index of its rows; what isn't named was accepted.

    `rejected` pairs an index with an error code.
    """

    call_id: int
    commit_id: int
    duplicates: list[int]
    conflicts: list[int]
    rejected: list[tuple[int, int]]


class Answered(msgspec.Struct, tag="answered", array_like=True, frozen=True):
    """A command's answer as msgpack; `change_id` is the last change made so far."""

    call_id: int
    answer: bytes
    change_id: int


class Said(msgspec.Struct, array_like=True, frozen=True):
    """A `Phrase` on its way, so that the edge can say it in the reader's language."""

    msgid: str
    params: dict[str, str | int]


class Failed(msgspec.Struct, tag="failed", array_like=True, frozen=True):
    """Why nothing was done; the fields of a `FareboxError`."""

    call_id: int
    code: int
    params: dict[str, str | int | Said | None]
    internal: str = ""


Message = Record | Call
Reply = Recorded | Answered | Failed

_encoder = msgspec.msgpack.Encoder()
_messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Record | Call)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Recorded | Answered | Failed)


def encode(message: Message | Reply) -> bytes:
    """The frame of a message.

    Raises:
        FareboxError: 413, it is longer than a frame may be.
    """
    body = _encoder.encode(message)
    if len(body) > FRAME_BYTES_MAX:
        raise FareboxError(BODY_TOO_LARGE, bytes_max=FRAME_BYTES_MAX)
    return len(body).to_bytes(_HEAD_BYTES, "big") + body


def decode_message(body: bytes) -> Message:
    """The message of a frame's body."""
    return _messages.decode(body)


def decode_reply(body: bytes) -> Reply:
    """The reply of a frame's body."""
    return _replies.decode(body)


class FrameBuffer:
    """Collects bytes as they come and gives whole frames.

    A frame over the bound is a broken peer: `ValueError`.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies of the frames completed by these bytes."""
        self._bytes += data
        bodies = []
        start = 0
        while len(self._bytes) - start >= _HEAD_BYTES:
            length = int.from_bytes(self._bytes[start : start + _HEAD_BYTES], "big")
            if length > FRAME_BYTES_MAX:
                message = f"a frame of {length} bytes"
                raise ValueError(message)
            end = start + _HEAD_BYTES + length
            if len(self._bytes) < end:
                break
            bodies.append(bytes(self._bytes[start + _HEAD_BYTES : end]))
            start = end
        del self._bytes[:start]
        return bodies
