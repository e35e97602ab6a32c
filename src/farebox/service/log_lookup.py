"""The detail of one request of the log: what was captured of it, if anything."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.errors import INVALID_FIELD, NOT_FOUND, FareboxError
from farebox.core.identity import parse_uuid
from farebox.core.phrase import Phrase
from farebox.store.contract import Reader


class LogDetail(NamedTuple):
    """Headers as JSON, with secrets struck out, and bodies; empty texts when nothing was kept."""

    request_headers: str
    request_body: str
    response_body: str
    response_size: int | None


def look_up_log(reader: Reader, profile_id: int, query_log_id: str) -> LogDetail:
    """The detail of a request of the caller's own workspace.

    Raises:
        FareboxError: 400, the id is no UUID; 404, the workspace has no such request.
    """
    packed = parse_uuid(query_log_id)
    if packed is None:
        raise FareboxError(INVALID_FIELD, field="query_log_id", expected=Phrase("a UUID"))
    found = reader.one("logs_lookup", LogDetail, profile_id=profile_id, query_log_id=packed)
    if found is None:
        raise FareboxError(NOT_FOUND, what=Phrase("request"))
    return found
