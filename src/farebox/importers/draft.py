"""A draft: one request as a log line tells it, before its key, log type and price are known.

Absent stays absent: a field that the line doesn't have is None, so that the content which tells a
repeat from a conflict is the line's own.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.key import Secret
from farebox.core.request import Channel


class Draft(NamedTuple):
    """A request to record. Exactly one of `key` and `key_id` is given.

    `request_id` and `source` are its identity within the workspace. `log_type` is a slug, or None
    when `method` and `path` decide. `channel` None is the key's own, `credits_micro` None the
    price. `authentication_type` is the name of the header that held the key, if it was one.
    Equal keys come as the same `Secret` object as a rule, so a caller may remember what one is.
    """

    line_number: int
    request_id: str
    source: str
    key: Secret | None
    key_id: str | None
    log_type: str | None
    method: str
    path: str
    time_ms: int
    status_code: int | None
    duration_ms: int | None
    response_size: int | None
    ip: str | None
    channel: Channel | None
    credits_micro: int | None
    authentication_type: str | None
