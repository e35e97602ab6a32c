"""Caddy's structured access log: one JSON object a line, the request's fields inside `request`.

They are put beside the entry's own as well: `uri` and `request.uri` name the same.

A Caddy log may hold other entries too: those of the start, errors, and the upstream's round trips,
which have a request and a status as well. Only entries of `http.log.access` are requests.
"""

from __future__ import annotations

from typing import ClassVar

from farebox.importers.nginx_json import decode_object
from farebox.importers.refusal import Reason, Refused
from farebox.importers.row import Path, Place, Row, field_paths

ACCESS_LOGGER = "http.log.access"
ACCESS_MESSAGE = "handled request"


class CaddyJson:
    """Reads JSON lines of Caddy."""

    name = "caddy_json"
    names: tuple[str, ...] = ()
    roles: ClassVar[dict[str, tuple[str, ...]]] = {
        "time": ("ts",),
        "method": ("method",),
        "path": ("uri",),
        "status_code": ("status",),
        "duration_seconds": ("duration",),
        "response_size": ("size",),
        "ip": ("client_ip", "remote_ip"),
    }

    def read(self, line: bytes) -> Row:
        """The fields of an access entry, those of its request beside the others.

        Raises:
            Refused: not a JSON object, or another entry.
        """
        row = decode_object(line)
        request = row.get("request")
        if not isinstance(request, dict) or not _is_access(row):
            raise Refused(Reason.NOT_ACCESS)
        return row | request

    def paths(self, place: Place) -> tuple[Path, ...]:
        """Headers are kept under Go's canonical names, each with a list of its values."""
        if place.kind == "field":
            return field_paths(place.name)
        parents = ("headers",) if place.kind == "header" else ("resp_headers",)
        canonical = "-".join(part.capitalize() for part in place.name.split("-"))
        return ((*parents, canonical),)


def looks_caddy(row: Row) -> bool:
    """Whether a JSON object is an entry of a Caddy log, be it of access or not."""
    return isinstance(row.get("request"), dict) or ("level" in row and "msg" in row)


def _is_access(row: Row) -> bool:
    """By the logger's name; by the message where the names were left out of the log."""
    logger = row.get("logger")
    if isinstance(logger, str):
        return logger == ACCESS_LOGGER or logger.startswith(ACCESS_LOGGER + ".")
    return row.get("msg", ACCESS_MESSAGE) == ACCESS_MESSAGE
