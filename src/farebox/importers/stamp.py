"""Stamps and durations as web servers write them, turned exactly into integer milliseconds.

No float is made on the way: `0.000929675` seconds is cut to 0 ms as text. Digits past the
millisecond are dropped. A stamp without an offset is refused; local time is never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from farebox.core.instant import MS_PER_SECOND, parse_rfc3339

TIME_MS_MAX = 253_402_300_799_999  # the last millisecond of the year 9999
_PLACES_MAX = 20
_LENGTH_MAX = 64
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)}
_LOCAL = re.compile(
    r"(\d\d/[A-Z][a-z]{2}/\d{4})[: ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?"
    r" ([+-]\d{4})",
    re.ASCII,
)
_EXPONENT = re.compile(r"\d{1,40}(\.\d{0,40})?[eE][+-]?\d{1,3}", re.ASCII)
_BARE_OFFSET = re.compile(r"(.*[+-]\d\d)(\d\d)", re.ASCII)
_GO_PART = re.compile(r"(\d+(?:\.\d*)?)(h|ms|m|s|us|\u00b5s|\u03bcs|ns)", re.ASCII)
_GO_SECONDS_PLACES = {"h": 0, "m": 0, "s": 0, "ms": -3, "us": -6, "\u00b5s": -6, "\u03bcs": -6}
_GO_FACTOR = {"h": 3600, "m": 60}
# The unit of a count since 1970 is told by its digits: seconds have ten of them until 2286.
_SECONDS_DIGITS_MAX, _MS_DIGITS_MAX, _US_DIGITS_MAX = 11, 14, 17


def parse_stamp(text: str) -> int:
    """The instant of a stamp.

    Known are seconds, milli-, micro- and nanoseconds since 1970, the common log's
    `01/May/2026:12:00:00 +0000`, RFC 3339, and ISO 8601 with an offset like `+0200`.

    Raises:
        ValueError: none of these, or out of the years 1970 to 9999.
    """
    whole = text.partition(".")[0]
    if not whole.isdigit():
        time_ms = _parse_text(text)
    elif len(whole) <= _SECONDS_DIGITS_MAX:
        time_ms = scale(text, 3)
    elif len(whole) <= _MS_DIGITS_MAX:
        time_ms = scale(text, 0)
    else:
        time_ms = scale(text, -3 if len(whole) <= _US_DIGITS_MAX else -6)
    if not 0 <= time_ms <= TIME_MS_MAX:
        message = "a time from 1970 to 9999"
        raise ValueError(message)
    return time_ms


def parse_duration(text: str, seconds_places: int) -> int:
    """Milliseconds of a duration: the text of a number in units of 10 ** `seconds_places` seconds.

    Go's own form, such as `1m32.05s`, names its units itself (Caddy: `duration_format string`).

    Raises:
        ValueError: not a duration, or a negative one.
    """
    if text.endswith("s"):
        return _parse_go(text)
    return scale(text, 3 + seconds_places)


def scale(text: str, places: int) -> int:
    """The whole part of a decimal number of 0 or more, times 10 ** `places`.

    Raises:
        ValueError: not such a number, or absurdly large.
    """
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdigit() or not text.isascii() or len(text) > _LENGTH_MAX:
        return _scale_exponent(text, places)
    if places <= 0:
        unit: int = 10**-places
        return int(whole or "0") // unit
    return int(whole + fraction[:places].ljust(places, "0"))


def _scale_exponent(text: str, places: int) -> int:
    """As `scale`, for the rarer form `1.5e-05`."""
    exact = Decimal(text) if _EXPONENT.fullmatch(text) else Decimal(-1)
    if exact < 0 or exact.adjusted() > _PLACES_MAX:
        message = "a number of 0 or more"
        raise ValueError(message)
    return int(exact.scaleb(places))


@lru_cache(maxsize=4096)
def _parse_text(text: str) -> int:
    """Cached: a log repeats the stamp of a second in many lines."""
    local = _LOCAL.fullmatch(text)
    if local:
        return _parse_local(local)
    bare = _BARE_OFFSET.fullmatch(text)
    return parse_rfc3339(f"{bare.group(1)}:{bare.group(2)}" if bare else text)


def _parse_local(match: re.Match[str]) -> int:
    day, hour, minute, second, fraction, offset = match.groups()
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    milliseconds = int(fraction[:3].ljust(3, "0")) if fraction else 0
    return _midnight_ms(day, offset) + seconds * MS_PER_SECOND + milliseconds


@lru_cache(maxsize=64)
def _midnight_ms(day: str, offset: str) -> int:
    """The beginning of a day such as `01/May/2026` at an offset such as `+0200`."""
    month = _MONTH.get(day[3:6])
    if month is None:
        message = "an English month"
        raise ValueError(message)
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    zone = timezone(-ahead if offset[0] == "-" else ahead)
    midnight = datetime(int(day[7:]), month, int(day[:2]), tzinfo=zone)
    return (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _parse_go(text: str) -> int:
    """Milliseconds of `1h2m3.5s`, `6.31ms`, `870µs` or `12ns`, summed before they are cut."""
    parts = _GO_PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        message = "a duration such as 1m32.05s"
        raise ValueError(message)
    nanoseconds = 0
    for number, unit in parts:
        places = -9 if unit == "ns" else _GO_SECONDS_PLACES[unit]
        nanoseconds += scale(number, 9 + places) * _GO_FACTOR.get(unit, 1)
    return nanoseconds // 1_000_000
