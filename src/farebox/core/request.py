"""A request: one metered call of the provider's API, ready to be recorded.

It is a tuple in the order of the table `requests`, so that it travels to the recorder and into
the database as it is. The price is already decided; who pays is the ledger's matter.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from farebox.core.calendar import QUARTER_MS

Channel = Literal["api", "portal", "self"]
CALLER_CHANNELS: tuple[Channel, ...] = ("api", "portal")
UNMAPPED = 0
UNKNOWN_SLUG = "__unknown__"
UNKNOWN_NAME = "Unknown"

DAYS_BACK_MAX = 35
MINUTES_AHEAD_MAX = 5


class MeteredRequest(NamedTuple):
    """One row of the log, with what tells its repeats.

    `identity` and `content` come from `core.identity`; `query_log_id` is a UUIDv7 in 16 bytes.
    """

    profile_id: int
    identity: bytes
    content: bytes
    query_log_id: bytes
    time_ms: int
    key_id: str
    log_type_id: int
    channel: Channel
    credits_micro: int
    method: str | None
    path: str | None
    status_code: int | None
    duration_ms: int | None
    response_size: int | None
    ip: str | None
    authentication_type: str | None

    @property
    def quarter(self) -> int:
        """The quarter hour of the request's time."""
        return self.time_ms // QUARTER_MS


class Capture(NamedTuple):
    """The optional headers and bodies of a request, with secrets already struck out."""

    profile_id: int
    query_log_id: bytes
    request_headers: str
    request_body: str
    response_body: str


def without_nul(text: str) -> str:
    """A text without NUL, which PostgreSQL can't hold: the whole row would be lost with it."""
    return text.replace("\0", "\ufffd")
