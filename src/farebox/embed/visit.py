"""Visit: one HTTP request at the door, and what it shows: its key, where to, and from where.

A key comes in a header. One in the URL is in somebody's log by now and is refused; so is a
parameter named like a header for keys. Other usual names for a key are refused only where no header
holds one: they may be parameters of the provider's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from farebox.api.auth import AUTHORIZATION
from farebox.api.context import Context
from farebox.api.forwarded import address_of
from farebox.api.gate import known_key
from farebox.core.errors import KEY_IN_URL, MISSING_KEY, FareboxError
from farebox.core.key import holds_secret
from farebox.core.workspace import ApiKey
from farebox.engine.holds import Hold
from farebox.service.admit import Attempt, Refused

ADDRESSES_KEPT = 4_096
ADDRESS_LENGTH_MAX = 64
_BEARER = "bearer "
_KEY_PARAMETERS = {"apikey", "key", "token", "accesstoken", "authorization"}

# The value of a header by its name in lower case; empty when there is none.
Header = Callable[[str], str]


class Visit(NamedTuple):
    """Who comes with what; `header` is where the key was."""

    method: str
    path: str
    ip: str | None
    header: str
    secret: str

    def attempt(self, key: ApiKey | None) -> Attempt:
        """What the gate is asked. Until its end is known, what it takes stays taken.

        Apps answer HEAD by what they have for GET; so it costs the same.
        """
        method = "GET" if self.method == "HEAD" else self.method
        return Attempt(key, None, method, self.path, ip=self.ip)


async def decide(context: Context, visit: Visit) -> Hold | Refused:
    """The decision, on the event loop; from memory, unless units must be drawn first.

    Raises:
        FareboxError: 503.
    """
    context.record_queue.check_room()
    key = await known_key(context, visit.secret)
    return await context.admitter.decide(visit.attempt(key), context.clock.now_ms())


def presented(header: Header, query: str, key_headers: tuple[str, ...]) -> tuple[str, str]:
    """The name of the header and the key in it.

    Raises:
        FareboxError: 400 for a key in the URL, 401 when there is none.
    """
    found = _in_headers(header, key_headers)
    if query:
        _refuse_key_in_url(query, key_headers, is_found=found is not None)
    if found is None:
        raise FareboxError(MISSING_KEY, header=key_headers[0])
    return found


def _in_headers(header: Header, key_headers: tuple[str, ...]) -> tuple[str, str] | None:
    for name in key_headers:
        secret = header(name).strip()
        if secret:
            return name, secret
    told = header(AUTHORIZATION)
    secret = told[len(_BEARER) :].strip() if told[: len(_BEARER)].lower() == _BEARER else ""
    return (AUTHORIZATION, secret) if secret else None


def _refuse_key_in_url(query: str, key_headers: tuple[str, ...], *, is_found: bool) -> None:
    names = {_plain(name) for name in key_headers}
    if not is_found:
        names |= _KEY_PARAMETERS
    for name, value in parse_qsl(query, keep_blank_values=True):
        if _plain(name) in names or holds_secret(value):
            raise FareboxError(KEY_IN_URL)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def client_address(text: str) -> str | None:
    """The address of a caller in its one form; None when it is none."""
    return _known_address(text) if len(text) <= ADDRESS_LENGTH_MAX else None


_known_address = lru_cache(maxsize=ADDRESSES_KEPT)(address_of)
