"""Seals: small structs as signed tokens, which nobody else can make up.

    <prefix><base64 of: the fields as msgpack, then 16 bytes of their keyed BLAKE2b>

The base64 is that of URLs, without padding, so a token may stand in JSON, in a cookie, and after
the `#` of a link. It is signed, not encrypted: its reader can tell what it says. The key is
derived from the program's secret for one purpose, so a token of one kind is none of another, and
a token outlives the process that made it. When one ends is its struct's to say.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from farebox.core.errors import ErrorKind, FareboxError

SIGNATURE_BYTES = 16

Sealed = TypeVar("Sealed", bound=msgspec.Struct)


class Seal(Generic[Sealed]):
    """Signs structs of one type and knows its own.

    `derive` gives the secret for a purpose, and is asked at the first use; `wrong` is what is said
    of a token that is none of these.
    """

    def __init__(
        self,
        type_: type[Sealed],
        prefix: str,
        purpose: str,
        derive: Callable[[str], bytes],
        *,
        wrong: ErrorKind,
    ) -> None:
        self._prefix = prefix
        self._purpose = purpose
        self._derive = derive
        self._wrong = wrong
        self._secret = b""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(type_)

    def seal(self, value: Sealed) -> str:
        """The token of a struct.

        Raises:
            FareboxError: 503, the program's secret can't be had.
        """
        body = self._encoder.encode(value)
        return self._prefix + _text(body + self._signature(body))

    def open(self, token: str) -> Sealed:
        """The struct of a token.

        Raises:
            FareboxError: `wrong`, it is none of ours; 503, the program's secret can't be had.
        """
        text = token.removeprefix(self._prefix)
        try:
            signed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError as error:
            raise FareboxError(self._wrong) from error
        if token != self._prefix + _text(signed):  # a struct has one token and no other
            raise FareboxError(self._wrong)
        body, signature = signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:]
        if not hmac.compare_digest(self._signature(body), signature):
            raise FareboxError(self._wrong)
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:  # signed by a release that knew other fields
            raise FareboxError(self._wrong) from error

    def _signature(self, body: bytes) -> bytes:
        if not self._secret:
            self._secret = self._derive(self._purpose)
        return blake2b(body, key=self._secret, digest_size=SIGNATURE_BYTES).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
