"""A request's identity: (workspace, `source`, `id`), packed so that ordered ids stay ordered.

    kind byte | 16-byte digest of the source, when it isn't empty | the id

The id is kept raw where it is short, a UUID's text packed to 16 bytes, and hashed above 64 bytes:
a B-tree fed with ordered ids then grows at its end only. `content_digest` is what tells a repeat
(the same content, a duplicate) from a conflict.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from functools import lru_cache

ID_BYTES_MAX = 1024
RAW_BYTES_MAX = 64
RANDOM_BYTES = 10
# The content of an identity that was used up by voiding its reservation: no digest is all zeros.
VOID_CONTENT = bytes(16)
_RAW, _UUID, _HASHED, _SOURCED = 0, 1, 2, 4
_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)
_RANDOM_MASK = ~((0xF << 76) | (0x3 << 62)) & ((1 << 80) - 1)
_KINDS = tuple(bytes((kind,)) for kind in range(8))
UUID_TEXT_LENGTH = 36
UUID_BYTES = 16
_UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def pack_identity(source: str, request_id: str) -> bytes:
    """The identity's bytes. Two pairs have the same bytes only when they are the same pair."""
    encoded = request_id.encode()
    if len(encoded) == UUID_TEXT_LENGTH and _UUID_TEXT.fullmatch(request_id):
        kind, packed = _UUID, bytes.fromhex(request_id.replace("-", ""))
    elif len(encoded) <= RAW_BYTES_MAX:
        kind, packed = _RAW, encoded
    else:
        kind, packed = _HASHED, hashlib.blake2b(encoded, digest_size=32).digest()
    if not source:
        return _KINDS[kind] + packed
    return _KINDS[kind | _SOURCED] + _source_digest(source) + packed


def own_identity(time_ms: int, random_bytes: bytes) -> bytes:
    """The identity of a request that its caller gave none: its time and 10 random bytes.

    It looks like that of a UUID, and no UUID that anybody makes is it.
    """
    return _KINDS[_UUID] + time_ms.to_bytes(6, "big") + random_bytes


@lru_cache(maxsize=1024)
def _source_digest(source: str) -> bytes:
    """Cached: a caller has few sources, and names one in every request."""
    return hashlib.blake2b(source.encode(), digest_size=16).digest()


def content_digest(canonical: bytes) -> bytes:
    """16 bytes that stand for the content as it was sent, in canonical form."""
    return hashlib.blake2b(canonical, digest_size=16).digest()


def query_log_id(time_ms: int, random_bytes: bytes) -> bytes:
    """A UUIDv7 of the request's time and 10 random bytes: log rows lie in the order of time."""
    assert len(random_bytes) == RANDOM_BYTES
    random = int.from_bytes(random_bytes, "big") & _RANDOM_MASK
    return ((max(0, time_ms) << 80) | _VERSION_AND_VARIANT | random).to_bytes(16, "big")


def first_query_log_id(time_ms: int) -> bytes:
    """The smallest id at an instant: the lower bound of a range of log rows."""
    return max(0, time_ms).to_bytes(6, "big") + bytes(RANDOM_BYTES)


def format_uuid(packed: bytes) -> str:
    """The text of 16 bytes."""
    digits = packed.hex()
    assert len(digits) == 2 * UUID_BYTES
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_uuid(text: str) -> bytes | None:
    """The 16 bytes of a UUID's text; None for another text."""
    lowered = text.lower()
    return uuid.UUID(lowered).bytes if _UUID_TEXT.fullmatch(lowered) else None
