"""Refusals in the admin API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.contract.admin.common import (
    KEY_ID,
    ROOT,
    STAMP,
    WORKSPACE,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    read,
)
from farebox.contract.wire import JsonObject
from farebox.core import errors
from farebox.service.forms.refusal import RefusalCounts, RefusalData

_MASK = "f••••••••••••••••a7Q"
_COUNTED: JsonObject = {"refusals": 12, "shadow_refusals": 0}
_REFUSAL: JsonObject = {
    "refusal_id": 4711,
    "at": STAMP,
    "profile_id": 1,
    "key_id": KEY_ID,
    "masked_authentication": _MASK,
    "status": 429,
    "code": 42902,
    "message": "The limit 'hour' is used up. Please try again later.",
    "denied_by": "hour",
    "log_type_slug": "people_search",
    "channel": "api",
    "method": "POST",
    "path": "/people/search",
    "ip": "192.0.2.1",
    "limits": [
        {"name": "hour", "limit": 1000, "remaining": 0, "reset": "2026-05-05T12:00:00.000Z"},
        {"name": "credits", "limit": None, "remaining": 1250.5, "reset": None},
    ],
    "retry_at": "2026-05-05T12:00:00.000Z",
    "is_shadow": False,
}
_COUNTS: JsonObject = {
    "profile_id": 1,
    "start_date": "2026-05-01",
    "end_date": "2026-05-31",
    "timezone": "Europe/Berlin",
    "totals": _COUNTED,
    "days": [{"date": "2026-05-05", **_COUNTED}],
    "reasons": [{"denied_by": "hour", **_COUNTED}],
    "keys": [
        {
            "key_id": KEY_ID,
            "masked_authentication": _MASK,
            "denied_by": "hour",
            **_COUNTED,
            "last_at": STAMP,
        }
    ],
    "is_cut": False,
}


class RefusalsAnswer(Struct, frozen=True):
    """A page of refusals."""

    data: list[RefusalData]
    next_cursor: NextCursor


class RefusalsQuery(PageQuery, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which refusals, and which page of them."""

    profile_id: Annotated[
        int | None,
        Meta(
            description="Those of this workspace. Default: of all.",
            extra_json_schema={"minimum": 1, "maximum": 10**18 - 1},
        ),
    ] = None
    key_id: Annotated[str | None, Meta(description="Those of this API key. Default: of all.")] = (
        None
    )
    denied_by: Annotated[
        str | None,
        Meta(
            description=(
                "Those with this reason: the name of a limit, such as `hour` or `credits`, or "
                "another. Default: all."
            )
        ),
    ] = None


class RefusalCountsQuery(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which days."""

    start_date: Annotated[
        str | None,
        Meta(
            description=(
                "First day, `YYYY-MM-DD`, in the workspace's timezone. Default: 29 days before the "
                "last."
            ),
            examples=["2026-05-01"],
        ),
    ] = None
    end_date: Annotated[
        str | None,
        Meta(
            description=(
                "Last day, `YYYY-MM-DD`, in the workspace's timezone; it is included. Default: "
                "today."
            ),
            examples=["2026-05-31"],
        ),
    ] = None


REFUSALS_LIST = read(
    "admin_refusals_list",
    f"{ROOT}/refusals",
    Texts(
        "List the Refusals",
        "List refused calls with the limits that were looked at",
        "The newest first; of each workspace the last 1,000 are kept. A refused call appears "
        "within a second, and is in no log and no report.",
    ),
    Form(RefusalsAnswer, {"data": [_REFUSAL], "next_cursor": None}),
    query=RefusalsQuery,
)
REFUSAL_COUNTS_GET = read(
    "admin_refusal_counts_get",
    f"{WORKSPACE}/refusal_counts",
    Texts(
        "Refusal Counts",
        "Count the refused calls of a workspace",
        "All refused calls of a range of at most 400 days: in all, by day, by reason, and by API "
        "key and reason.",
    ),
    Form(RefusalCounts, _COUNTS),
    errors.INVALID_DATE,
    errors.INVERTED_RANGE,
    errors.RANGE_TOO_LONG,
    query=RefusalCountsQuery,
)

OPERATIONS = (REFUSALS_LIST, REFUSAL_COUNTS_GET)
