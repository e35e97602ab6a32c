"""API keys: grammar, checksum, mask and digest.

    fbx_<32 base62 characters><6 base62 characters: CRC-32 of what stands before>

190 random bits, so a plain SHA-256 of the whole key is a safe thing to store and to look up by
(no lookup by a visible part: its timing would tell whether a key exists). Imported keys may have
any form of printable ASCII. A secret is held by `Secret`, which no format and no repr shows.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_PREFIX = "fbx_"
TOKEN_PREFIX = "fbt_"  # noqa: S105 - a prefix, not a secret
LINK_PREFIX = "lnk_"
# What a scanner for leaked secrets should look for.
SECRET_PATTERN = r"(?:fb[xt]_[0-9A-Za-z]{38}|lnk_[0-9A-Za-z_-]{64,})"  # noqa: S105 - a pattern
_SECRET = re.compile(SECRET_PATTERN)
STRUCK_OUT = "***"

RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
KEY_LENGTH_MIN = 8
KEY_LENGTH_MAX = 512
BULLET = "\u2022"
_MASK_LENGTH_MIN = 12

RandomBelow = Callable[[int], int]


class Secret:
    """A secret string that can't be shown by accident; `reveal()` is the only way out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def mint(prefix: str, random_below: RandomBelow) -> Secret:
    """A new secret; `random_below(n)` draws an unpredictable integer from 0 to n - 1."""
    body = prefix + "".join(ALPHABET[random_below(62)] for _ in range(RANDOM_LENGTH))
    return Secret(body + checksum(body))


def mint_id(prefix: str, random_below: RandomBelow) -> str:
    """A short public id such as `key_5hZ0c2rWq8Lm`: 71 random bits, so ids tell nothing."""
    return prefix + "".join(ALPHABET[random_below(62)] for _ in range(12))


def strike_out(text: str) -> str:
    """The text with `***` for everything that looks like a key, token or link of ours."""
    return _SECRET.sub(STRUCK_OUT, text)


def holds_secret(text: str) -> bool:
    """Whether something in the text looks like a key, token or link of ours."""
    return _SECRET.search(text) is not None


def checksum(body: str) -> str:
    """Six base62 characters of the CRC-32 of what stands before them."""
    value = zlib.crc32(body.encode())
    characters = []
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, 62)
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))


def is_plausible(text: str) -> bool:
    """Whether a key or token can be one: bounds, printable ASCII, and the checksum if ours."""
    if not KEY_LENGTH_MIN <= len(text) <= KEY_LENGTH_MAX or not _is_printable(text):
        return False
    length = len(KEY_PREFIX) + RANDOM_LENGTH + CHECKSUM_LENGTH
    if text.startswith((KEY_PREFIX, TOKEN_PREFIX)) and len(text) == length:
        return checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]
    return True


def digest(text: str) -> bytes:
    """SHA-256 of the whole key: what is stored, and what a key is looked up by."""
    return hashlib.sha256(text.encode()).digest()


def mask(text: str) -> str:
    """First character, sixteen bullets, last three; all bullets for a key shorter than 12."""
    if len(text) < _MASK_LENGTH_MIN:
        return BULLET * 20
    return text[0] + BULLET * 16 + text[-3:]


def _is_printable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
