r"""The combined format of nginx and Apache, and the common one, which ends before the referer.

    203.0.113.7 - ada [01/May/2026:12:00:00 +0000] "GET /v1/x HTTP/1.1" 200 512 "-" "curl/8.5" …

Fields go by nginx's names. What follows the user agent is named, in its order, by the mapping
(`combined.trailing`); unless it is, one lone number with three decimals is `request_time`, and the
rest is passed over. Both escapes are undone: nginx's `\x22`, Apache's `\"`, `\\`, `\n` and `\x7f`.
"""

from __future__ import annotations

import re
from typing import ClassVar

from farebox.importers.refusal import Reason, Refused
from farebox.importers.row import Path, Place, Row

FIXED = (
    "remote_addr",
    "remote_user",
    "time_local",
    "request",
    "status",
    "body_bytes_sent",
    "http_referer",
    "http_user_agent",
)
REQUEST_TIME = "request_time"

# No possessive quantifiers, which Python before 3.11.5 gets wrong; each loop has one way only.
_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LINE = (
    r"(\S+) \S+ (.*?) \[([0-9][^\]]{19,39})\] "
    + _QUOTED
    + r" ([0-9]{3}|-) ([0-9]+|-)(?: "
    + _QUOTED
    + " "
    + _QUOTED
    + ")?"
)
_REST = r'(?: (?:"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"]\S*)?)*'
_UNNAMED = rf"(?: ([0-9]+\.[0-9]{{3}})|{_REST})"
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Combined:
    """Reads lines of the combined format with the trailing fields `trailing`."""

    name = "combined"
    roles: ClassVar[dict[str, tuple[str, ...]]] = {
        "time": ("time_local",),
        "request": ("request",),
        "status_code": ("status",),
        "duration_seconds": (REQUEST_TIME,),
        "response_size": ("body_bytes_sent",),
        "ip": ("remote_addr",),
    }

    def __init__(self, trailing: tuple[str, ...]) -> None:
        self.names = FIXED + (trailing or (REQUEST_TIME,))
        groups = [len(FIXED) + 1]
        ending = _UNNAMED
        if trailing:
            quotes = range(len(FIXED) + 1, len(FIXED) + 1 + 2 * len(trailing), 2)
            groups = [quote + 1 for quote in quotes]
            ending = "".join(map(_named, quotes))
        self._groups = (*range(1, len(FIXED) + 1), *groups)
        self._line = re.compile(_LINE + ending, re.DOTALL)

    def read(self, line: bytes) -> Row:
        """The fields of a line.

        Raises:
            Refused: not in this format.
        """
        # One character a byte: it can't fail, and only what is not ASCII is decoded again.
        text = line.decode("latin-1")
        match = self._line.fullmatch(text)
        if match is None:
            raise Refused(Reason.TRAILING if _ANY.fullmatch(text) else Reason.NOT_COMBINED)
        row: Row = dict(zip(self.names, match.group(*self._groups), strict=True))
        if "\\" in text or not text.isascii():
            return {name: _decode(value) for name, value in row.items()}
        return row

    def paths(self, place: Place) -> tuple[Path, ...]:
        """Where a place is; none when a line has no such field."""
        prefix = {"field": "", "header": "http_", "response_header": "sent_http_"}[place.kind]
        name = prefix + (place.name.lower().replace("-", "_") if prefix else place.name)
        return ((name,),) if name in self.names else ()


_ANY = re.compile(_LINE + _REST, re.DOTALL)


def _named(quote: int) -> str:
    """A trailing field: the group `quote` is its quote, if it has one, the next its content.

    A bare field with several values is written `0.001, 0.002`. Nothing is tried twice, so that no
    line can make the matching slow.
    """
    quoted = r'[^"\\]*(?:\\.[^"\\]*)*'
    bare = r'[^\s"]\S*(?:(?<=,) \S+)*'
    # Looked ahead and repeated: once found, a value is never taken apart again.
    value = rf"(?=((?({quote}){quoted}|{bare})))\{quote + 1}"
    return f' (")?{value}(?({quote})")'


def looks_combined(line: bytes) -> bool:
    """Whether a line is in the combined format, whatever trails."""
    return _ANY.fullmatch(line.decode("latin-1")) is not None


def _decode(value: object) -> object:
    """Undoes the escapes; bytes that aren't UTF-8 become surrogates, so that none is lost."""
    if not isinstance(value, str):
        return value
    plain = _ESCAPE.sub(_unescape, value) if "\\" in value else value
    return plain.encode("latin-1").decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _CONTROL.get(code, code)
