"""Origins: where a browser finds a server, as `https://usage.example.com:8443`.

Strict, for they stand in links and in the head of answers: no path, no user, no blank.
"""

from __future__ import annotations

import re

_SCHEME = r"https?://"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"
_PORT = r"\d{1,5}"
_ORIGIN = re.compile(rf"{_SCHEME}({_NAME}|\[[0-9a-f:.]{{2,45}}\])(:{_PORT})?", re.ASCII)
# What a Content-Security-Policy takes: a * for all names below, or for all ports.
_ANCESTOR = re.compile(rf"{_SCHEME}(\*\.)?{_NAME}(:({_PORT}|\*))?", re.ASCII)
ORIGIN_LENGTH_MAX = 300


def origin_of(host: str, port: int) -> str:
    """The origin of a server without TLS."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def read_origin(text: str) -> str:
    """The origin in its one form: lower case, no slash at its end.

    Raises:
        ValueError: it is none, and what would be one.
    """
    return _read(_ORIGIN, text, "an origin such as https://usage.example.com, without a path")


def read_ancestor(text: str) -> str:
    """An origin, or several by a `*`, that may embed pages in a frame.

    Raises:
        ValueError: it is none, and what would be one.
    """
    expected = "origins such as https://example.com or https://*.example.com, without a path"
    return _read(_ANCESTOR, text, expected)


def _read(form: re.Pattern[str], text: str, expected: str) -> str:
    origin = text.lower().removesuffix("/")
    if len(origin) > ORIGIN_LENGTH_MAX or not form.fullmatch(origin):
        raise ValueError(expected)
    return origin
