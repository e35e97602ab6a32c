"""The arguments of a client in Python's forms, made into those of the wire.

Credits are exact: an int, a `Decimal`, or a text; a float is refused. A moment is a datetime with
a timezone or an RFC 3339 text. A key is a text or a `Secret`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

from farebox.core.credits import to_micro
from farebox.core.key import Secret

Credits = int | Decimal | str
Moment = datetime | str
Key = str | Secret


class CallTold(TypedDict, total=False):
    """What may be told of a call and its answer; None is as if it weren't told.

    `credits`: what it cost; the default is the price at its time, and 0 for a status of 400 or
    above. Headers and bodies are kept only where the server captures them.
    """

    credits: Credits | None
    method: str | None
    path: str | None
    status_code: int | None
    duration_ms: int | None
    response_size: int | None
    ip: str | None
    request_headers: dict[str, str] | None
    request_body: str | None
    response_body: str | None


class Told(CallTold, total=False):
    """The same of a request that is reported, and which quota it counts against."""

    channel: Literal["api", "portal"] | None


def exact(credits: Credits) -> Decimal:
    """The credits.

    Raises:
        TypeError: a float.
        ValueError: more than 6 decimal places, or out of bounds.
    """
    if isinstance(credits, bool | float):
        message = "credits must be exact: an int, a Decimal or a text, not a float"
        raise TypeError(message)
    to_micro(credits)
    return Decimal(credits)


def stamp(moment: Moment) -> str:
    """The RFC 3339 text of a moment.

    Raises:
        ValueError: a datetime without a timezone.
    """
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        message = "a datetime must have a timezone"
        raise ValueError(message)
    return moment.isoformat()


def secret(key: Key) -> Secret:
    """The key, so that no repr shows it."""
    return key if isinstance(key, Secret) else Secret(key)
