"""Reservation tokens, read as a stranger can: nothing in them is secret."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import msgspec

PREFIX = "rsv_"
SIGNATURE_BYTES = 16


class _Signed(msgspec.Struct, array_like=True):
    number: int
    lease_id: int


def lease_of(token: str) -> int:
    """The lease that a reservation was admitted by."""
    signed = urlsafe_b64decode(token.removeprefix(PREFIX))
    return msgspec.msgpack.decode(signed[:-SIGNATURE_BYTES], type=_Signed).lease_id
