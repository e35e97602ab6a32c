"""The mapping: where the lines of a log hold what a request needs.

`ROLES` are the usual values, which every format knows under names of its own; `PLACES` are what
only the provider knows, and the kinds of places that each may be in.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from farebox.importers.row import Place, PlaceKind

SOURCE_DEFAULT = "import"
TEXT_LENGTH_MAX = 200
PLACES: dict[str, tuple[PlaceKind, ...]] = {
    "key": ("field", "header"),
    "key_id": ("value", "field", "header"),
    "request_id": ("field", "header", "response_header"),
    "log_type": ("value", "field", "header", "response_header"),
    "channel": ("value", "field", "header"),
    "credits": ("value", "field", "header", "response_header"),
}
ROLES = (
    "time",
    "request",
    "method",
    "path",
    "status_code",
    "duration_seconds",
    "duration_ms",
    "duration_us",
    "duration_ns",
    "response_size",
    "ip",
)


class Route(NamedTuple):
    """A path template of the mapping: its method (None is any) and the slug that it leads to."""

    method: str | None
    template: str
    slug: str


class ImportMapping(NamedTuple):
    """What a mapping file says. `keys` are tried in turn; it is empty when there is a `key_id`."""

    format: str
    source: str
    keys: tuple[Place, ...]
    key_id: Place | None
    request_id: Place | None
    log_type: Place | None
    channel: Place | None
    credits: Place | None
    fields: dict[str, str]
    trailing: tuple[str, ...]
    routes: tuple[Route, ...]

    def fingerprint(self) -> str:
        """The same for two mappings only when they say the same."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).hexdigest()


def is_short_text(text: str) -> bool:
    """Whether a text is short and printable, as a source or a key id is."""
    return 0 < len(text) <= TEXT_LENGTH_MAX and text.isprintable()
