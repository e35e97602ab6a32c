"""Values: what stands in a row, checked and turned into what a draft holds.

Nothing found is None; something found that is wrong refuses the line.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from farebox.core.credits import to_micro
from farebox.core.identity import ID_BYTES_MAX
from farebox.core.key import Secret, is_plausible
from farebox.core.log_type import SLUG
from farebox.core.request import CALLER_CHANNELS, Channel
from farebox.importers.mapping import is_short_text
from farebox.importers.refusal import Reason, Refused
from farebox.importers.stamp import parse_duration, parse_stamp

REMEMBERED_MAX = 10_000
STATUS_MIN, STATUS_MAX = 100, 599
# A server's ways to write that no status was sent: nginx 000, Caddy 0, and HTTP/0.9's 009.
_NO_STATUS = (0, 9)
_STRUCK = "REDACTED"
_BEARER = "bearer "
_DIGITS_MAX = 18  # so that it fits into 63 bits


def time_ms_of(text: str | None) -> int:
    """The instant of a line; there must be one."""
    if text is None:
        raise Refused(Reason.NO_TIME)
    try:
        return parse_stamp(text)
    except ValueError:
        raise Refused(Reason.BAD_TIME) from None


def key_id_of(text: str | None) -> str:
    """The key id of a line; there must be one."""
    if text is None:
        raise Refused(Reason.NO_KEY)
    if not is_short_text(text):
        raise Refused(Reason.BAD_KEY_ID)
    return text


def request_id_of(text: str | None) -> str | None:
    """The request id of a line that has one."""
    if text is not None and (not text.isprintable() or len(text.encode()) > ID_BYTES_MAX):
        raise Refused(Reason.BAD_REQUEST_ID)
    return text


def slug_of(text: str | None) -> str | None:
    """The log type's slug of a line that has one."""
    if text is not None and not SLUG.fullmatch(text):
        raise Refused(Reason.BAD_LOG_TYPE)
    return text


def secret_of(text: str) -> Secret:
    """The key in the text of a field or header, with or without `Bearer` before it."""
    key = text[len(_BEARER) :].strip() if text[: len(_BEARER)].lower() == _BEARER else text
    if key == _STRUCK:
        raise Refused(Reason.STRUCK_KEY)
    if not is_plausible(key):
        raise Refused(Reason.BAD_KEY)
    return Secret(key)


@lru_cache(REMEMBERED_MAX)
def status_code_of(text: str | None) -> int | None:
    """The status code; None when no status was sent."""
    status = None if text is None else _integer(text, Reason.BAD_STATUS)
    if status is None or status in _NO_STATUS:
        return None
    if not STATUS_MIN <= status <= STATUS_MAX:
        raise Refused(Reason.BAD_STATUS)
    return status


def size_of(text: str | None) -> int | None:
    """The size of the response in bytes."""
    return None if text is None else _integer(text, Reason.BAD_SIZE)


def duration_ms_of(text: str, seconds_places: int) -> int:
    """The duration, of a number in units of 10 ** `seconds_places` seconds."""
    try:
        duration_ms = parse_duration(text, seconds_places)
    except ValueError:
        raise Refused(Reason.BAD_DURATION) from None
    if duration_ms >= 10**_DIGITS_MAX:
        raise Refused(Reason.BAD_DURATION)
    return duration_ms


@lru_cache(REMEMBERED_MAX)
def ip_of(text: str | None) -> str | None:
    """The first address of a list; None for a host's name or a socket, which are no addresses."""
    first = "" if text is None else text.partition(",")[0].strip()
    try:
        ipaddress.ip_address(first)
    except ValueError:
        return None
    return first


def channel_of(text: str | None) -> Channel | None:
    """The channel, if it is one that a caller may name."""
    if text is None:
        return None
    for channel in CALLER_CHANNELS:
        if text == channel:
            return channel
    raise Refused(Reason.BAD_CHANNEL)


def credits_micro_of(text: str | None) -> int | None:
    """The credits that the line says the request cost."""
    if text is None:
        return None
    try:
        micro = to_micro(text)
    except ValueError:
        raise Refused(Reason.BAD_CREDITS) from None
    if micro < 0:
        raise Refused(Reason.BAD_CREDITS)
    return micro


def _integer(text: str, reason: Reason) -> int:
    if len(text) > _DIGITS_MAX or not text.isascii() or not text.isdigit():
        raise Refused(reason)
    return int(text)
