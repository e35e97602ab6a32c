"""Forwarded requests: what a gateway tells of the request that it asks about, from its own place.

Whatever stands in another gateway's place may come from the caller and is not read. The path is
what the API will see: without the query, its escapes decoded once. It refuses a path with a segment
`.` or `..`, since a gateway and an API may read that differently, and one would be paid for and the
other be had.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request

from farebox.contract.forward_auth import (
    FORWARDED_FOR,
    FORWARDED_METHOD,
    FORWARDED_URI,
    ORIGINAL_METHOD,
    ORIGINAL_URI,
    REAL_IP,
    REQUEST_ID,
)
from farebox.contract.parameters import ORIGINAL_PATH
from farebox.core.errors import INVALID_FIELD, MISSING_FIELD, FareboxError
from farebox.core.phrase import Phrase

METHOD_LENGTH_MAX = 32
PATH_LENGTH_MAX = 4096
ID_LENGTH_MAX = 128
PATH_EXPECTED = "a path without the segments '.' and '..'"


class Forwarded(NamedTuple):
    """A request that a gateway asks about. Its path begins with a slash."""

    method: str
    path: str
    ip: str | None
    request_id: str | None


Read = Callable[[Request], Forwarded]


def from_forwarded_headers(request: Request) -> Forwarded:
    """What Traefik and Caddy tell.

    Raises:
        FareboxError: 400, there is no path or none that can be priced; so for the others.
    """
    method = request.headers.get(FORWARDED_METHOD) or request.method
    return Forwarded(
        _method(method), _path_of_uri(request, FORWARDED_URI), _last_address(request), None
    )


def from_path(request: Request) -> Forwarded:
    """What Envoy tells. The server has decoded the path already."""
    path = plain_path(f"/{request.path_params[ORIGINAL_PATH]}")
    return Forwarded(_method(request.method), path, _last_address(request), None)


def from_nginx(request: Request) -> Forwarded:
    """What nginx tells by the recipe; the id is nginx's own for the request."""
    headers = request.headers
    return Forwarded(
        _method(headers.get(ORIGINAL_METHOD) or request.method),
        _path_of_uri(request, ORIGINAL_URI),
        address_of(headers.get(REAL_IP, "")),
        headers.get(REQUEST_ID, "").strip()[:ID_LENGTH_MAX] or None,
    )


def _method(text: str) -> str:
    return text.strip().upper()[:METHOD_LENGTH_MAX]


def _path_of_uri(request: Request, header: str) -> str:
    uri = request.headers.get(header, "").strip()
    if not uri:
        raise FareboxError(MISSING_FIELD, field=header)
    return plain_path(unquote(uri.partition("?")[0].partition("#")[0]))


def plain_path(path: str) -> str:
    """A decoded path, with what would pass for the beginning of a query encoded again.

    Raises:
        FareboxError: 400, it is too long, or holds a segment that is read in two ways.
    """
    if len(path) > PATH_LENGTH_MAX:
        expected = Phrase("a string of {limit} characters or less", limit=PATH_LENGTH_MAX)
        raise FareboxError(INVALID_FIELD, field="path", expected=expected)
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise FareboxError(INVALID_FIELD, field="path", expected=Phrase(PATH_EXPECTED))
    rooted = path if path.startswith("/") else f"/{path}"
    return rooted.replace("?", "%3F").replace("#", "%23")


def _last_address(request: Request) -> str | None:
    """The address that the gateway itself has seen: it appends it to what was there."""
    told = request.headers.getlist(FORWARDED_FOR)
    return address_of(told[-1].rpartition(",")[2]) if told else None


def address_of(text: str) -> str | None:
    """An address in its one form; None when it is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return None
