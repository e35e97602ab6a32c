"""What goes to the recorder and what comes back: msgpack frames with a 4-byte length in front.

A record carries requests; a call names a command and carries its arguments; a draw renews a
process's lease, asks for units to admit by and brings back what it no longer needs; a void ends a
reservation. Each has a `call_id` chosen by its sender, and gets exactly one reply, after the
commit. An empty frame is a farewell: its sender wants nothing more, and waits for the end.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.admission import LimitName
from farebox.core.errors import BODY_TOO_LARGE, FareboxError
from farebox.core.request import Capture, Channel, MeteredRequest

FRAME_BYTES_MAX = 64 * 1024 * 1024
_HEAD_BYTES = 4
FAREWELL = bytes(_HEAD_BYTES)


class Spend(NamedTuple):
    """What an admitted request takes of what was drawn: (lot_id, units) of one lease.

    A request takes 1 of each window, and micro-credits of grants and of its key's cap. `number` is
    that of its hold, which expires at `expires_ms`; 0 is never.
    """

    query_log_id: bytes
    lease_id: int
    pieces: tuple[tuple[int, int], ...]
    number: int
    expires_ms: int


class Record(msgspec.Struct, tag="record", array_like=True, frozen=True):
    """Requests to be recorded, all or none of them acknowledged together.

    `spends` are those of admitted requests among them; `lease_id` is the sender's.
    """

    call_id: int
    rows: list[MeteredRequest]
    captures: list[Capture] = []
    is_import: bool = False
    lease_id: int = 0
    spends: list[Spend] = []


class Want(msgspec.Struct, array_like=True, frozen=True):
    """More units for the requests of one user of a workspace in one channel.

    `units` are requests for each window, in the order of `WINDOW_NAMES`. Of credits and of the cap
    of a family of keys, `least` is what any of it would be of use from.
    """

    profile_id: int
    user_id: str
    channel: Channel
    units: tuple[int, int, int, int, int]
    credits_micro: int = 0
    credits_least_micro: int = 0
    family_id: str = ""
    cap_micro: int = 0
    cap_least_micro: int = 0


class Draw(msgspec.Struct, tag="draw", array_like=True, frozen=True):
    """Renew a lease at the sender's instant, and move units to it and back from it.

    A lease that isn't known is opened, unless it `is_old`: then it has ended so long ago that it
    was forgotten. One that has ended stays so. `is_last` ends it: what comes back then is all that
    no reservation holds; it may be told again until it is answered, and counts once. `holdings` are
    workspaces, and what the sender's reservations hold of their credits where that has changed.
    """

    call_id: int
    lease_id: int
    now_ms: int
    hold_ms: int
    wants: list[Want] = []
    returns: list[tuple[int, int]] = []
    is_last: bool = False
    is_old: bool = False
    holdings: list[tuple[int, int]] = []


class Void(msgspec.Struct, tag="void", array_like=True, frozen=True):
    """End a reservation without a request; `lease_id` is the sender's, the spend's is its own."""

    call_id: int
    lease_id: int
    profile_id: int
    identity: bytes
    spend: Spend


class Call(msgspec.Struct, tag="call", array_like=True, frozen=True):
    """A command to be run in the recorder; `arguments` are msgpack."""

    call_id: int
    name: str
    arguments: bytes
    actor: str
    idempotency_key: str | None = None


class Recorded(msgspec.Struct, tag="recorded", array_like=True, frozen=True):
    """The outcome of a record, by the index of its rows; what isn't named was accepted.

    `rejected` pairs an index with an error code. `balances` pairs the workspaces of admitted
    requests with their micro-credits after the commit. Of what was known before, `taken` are those
    that another process ended: the sender is told of them with a renewal.
    """

    call_id: int
    commit_id: int
    duplicates: list[int]
    conflicts: list[int]
    rejected: list[tuple[int, int]]
    balances: list[tuple[int, int]] = []
    taken: list[int] = []


class LotSupply(NamedTuple):
    """A lot of one limit: what was added to it, and what of the limit is not drawn by anyone.

    `limit`, `added` and `left` are requests, or micro-credits; `left` is below 0 where a limit was
    lowered below what is used and drawn. What doesn't end has no `end_ms`. `elsewhere` is what
    other processes have drawn, told only where nothing could be added.
    """

    lot_id: int
    name: LimitName
    start_ms: int
    end_ms: int | None
    limit: int
    added: int
    left: int
    elsewhere: int = 0


class GrantSupply(NamedTuple):
    """A lot of one grant's credits, with what tells its place in the spending order."""

    lot_id: int
    grant_id: int
    expires_at_ms: int | None
    priority: int
    created_at_ms: int
    added_micro: int


class Supply(msgspec.Struct, array_like=True, frozen=True):
    """The answer to a want: every window that is limited, the cap if there is one, and credits.

    `scope` is whose requests the windows count: the user's, or empty for the whole workspace.
    """

    scope: str
    windows: list[LotSupply]
    cap: LotSupply | None
    grants: list[GrantSupply]
    credits_left_micro: int
    credits_elsewhere_micro: int = 0


class NodeTold(NamedTuple):
    """What the recorder of a node has done since it began, where others write too."""

    node_id: int
    round_trips: int
    renewals: int
    nodes_ended: int


class Drawn(msgspec.Struct, tag="drawn", array_like=True, frozen=True):
    """Supplies for the wants, in their order; none when the lease has ended.

    Of workspaces that were `recalled`, others have run short: what lies idle is to come back. Holds
    that were `ended` elsewhere are (number, micro-credits taken); of those below 0 none were.
    `holdings` are workspaces, and what other processes of the node hold where that has changed;
    all of it where they `are_first`.
    """

    call_id: int
    now_ms: int
    supplies: list[Supply]
    is_ended: bool = False
    recalled: list[int] = []
    ended: list[tuple[int, int]] = []
    node: NodeTold | None = None
    holdings: list[tuple[int, int]] = []
    are_first: bool = False


class Voided(msgspec.Struct, tag="voided", array_like=True, frozen=True):
    """Whether the reservation had ended before: voided already, or settled.

    `is_returned` tells that its lease is over, and that what it held went back by this; `is_taken`
    that another process had ended it, of which the sender is told with a renewal.
    """

    call_id: int
    was_voided: bool
    was_settled: bool
    is_returned: bool = False
    is_taken: bool = False


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


Message = Record | Call | Draw | Void
Reply = Recorded | Answered | Drawn | Voided | Failed

_encoder = msgspec.msgpack.Encoder()
_messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


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
