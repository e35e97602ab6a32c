"""Canaries: secrets that a session uses, and the search for any trace of them.

A trace is a run of 8 characters of a secret: as it is (in any case), in hexadecimal, in base64 at
any place of a longer text, or encoded as in a URL. A mask shows fewer, and a digest none.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX

RUN_LENGTH = 8
# So many characters of base64 are certain when 8 of what they stand for are.
BASE64_LENGTH = 9
# Characters that are special in JSON, URLs, shells and regular expressions alike.
SPECIAL = "+/=&%#?$^.*|~!@:;<>{}[]()_-'"


def foreign_key(chance: random.Random, length: int = 40) -> str:
    """A key of no form of ours."""
    alphabet = string.ascii_letters + string.digits
    plain = [chance.choice(alphabet) for _ in range(length)]
    for place in chance.sample(range(1, length - 1), length // 8):
        plain[place] = chance.choice(SPECIAL)
    return "".join(plain)


class Search:
    """Finds traces of named secrets in bytes."""

    def __init__(self) -> None:
        self._plain: dict[bytes, str] = {}
        self._hex: dict[bytes, str] = {}
        self._base64: dict[bytes, str] = {}
        self.secrets: dict[str, str] = {}

    def add(self, name: str, text: str) -> str:
        """Look for a secret from now on; the secret."""
        self.secrets[name] = text
        secret = text.removeprefix(KEY_PREFIX).removeprefix(TOKEN_PREFIX).encode()
        for run in _runs(secret, RUN_LENGTH):
            self._plain[run.lower()] = name
            self._hex[run.hex().encode()] = name
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + text.encode())
            # Its ends depend on what stands beside the secret.
            certain = encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]
            for run in _runs(certain, BASE64_LENGTH):
                self._base64[run] = name
                self._base64[run.replace(b"+", b"-").replace(b"/", b"_")] = name
        return text

    def found(self, data: bytes) -> set[str]:
        """The names of the secrets of which there is a trace."""
        lowered = data.lower()
        decoded = unquote_to_bytes(data).lower() if b"%" in data else b""
        return (
            _seen(self._plain, lowered, RUN_LENGTH)
            | _seen(self._plain, decoded, RUN_LENGTH)
            | _seen(self._hex, lowered, 2 * RUN_LENGTH)
            | _seen(self._base64, data, BASE64_LENGTH)
        )


def _runs(data: bytes, length: int) -> Iterable[bytes]:
    return (data[start : start + length] for start in range(len(data) - length + 1))


def _seen(names: dict[bytes, str], data: bytes, length: int) -> set[str]:
    return {names[run] for run in _runs(data, length) if run in names}
