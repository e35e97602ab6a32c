"""nginx's `log_format … escape=json`: one flat JSON object a line, with names of one's own choice.

The usual names are known; the mapping's `[fields]` names others. A field may stand deeper
(`nginx.request_uri`) or have dots in its name.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from farebox.importers.refusal import Reason, Refused
from farebox.importers.row import Path, Place, Row, field_paths

# Numbers with a fraction stay text, so that they can be scaled exactly.
_DECODER = msgspec.json.Decoder(dict[str, object], float_hook=str)


class NginxJson:
    """Reads JSON lines of nginx."""

    name = "nginx_json"
    names: tuple[str, ...] = ()
    # First the variables' own names, as most formats keep them.
    roles: ClassVar[dict[str, tuple[str, ...]]] = {
        "time": ("msec", "time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts"),
        "request": ("request",),
        "method": ("request_method", "method", "verb"),
        "path": ("request_uri", "uri", "path", "url"),
        "status_code": ("status", "status_code", "response_status"),
        "duration_seconds": ("request_time", "duration_seconds"),
        "duration_ms": ("duration_ms", "request_time_ms"),
        "response_size": ("body_bytes_sent", "bytes_sent", "response_size", "size", "bytes"),
        "ip": ("remote_addr", "client_ip", "remote_ip", "ip"),
    }

    def read(self, line: bytes) -> Row:
        """The fields of a line.

        Raises:
            Refused: not a JSON object.
        """
        return decode_object(line)

    def paths(self, place: Place) -> tuple[Path, ...]:
        """A header is the variable `http_…` of its name, a header of the answer `sent_http_…`."""
        if place.kind == "field":
            return field_paths(place.name)
        variable = place.name.lower().replace("-", "_")
        if place.kind == "header":
            return ((f"http_{variable}",),)
        return ((f"sent_http_{variable}",), (f"upstream_http_{variable}",))


def decode_object(line: bytes) -> Row:
    """A JSON object. Bytes that aren't UTF-8 are replaced: nginx lets those of a client through.

    Raises:
        Refused: not a JSON object.
    """
    try:
        try:
            return _DECODER.decode(line)
        except UnicodeDecodeError:
            return _DECODER.decode(line.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        # Without its cause: that may quote the line.
        raise Refused(Reason.NOT_JSON) from None
