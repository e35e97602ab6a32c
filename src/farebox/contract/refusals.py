"""Refused calls, as a workspace sees its own: how many, by day and by reason.

What refused a call is told by its name, and in the words of the error that the caller got.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.usage import (
    DATE_SCHEMA,
    RANGE_ERRORS,
    EndDate,
    FiltersMetadata,
    Keys,
    StartDate,
)
from farebox.contract.wire import ProfileId
from farebox.core import errors

Refusals = Annotated[int, Meta(description="How many calls were refused.")]


class RefusedCallsRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The body of the report of refused calls."""

    start_date: StartDate
    end_date: EndDate
    keys: Keys = None
    profile_id: ProfileId = None


class RefusedCallsDay(Struct, frozen=True):
    """One day."""

    date: Annotated[
        str,
        Meta(
            description="The day, as `YYYY-MM-DD`, in the workspace's timezone.",
            extra_json_schema=DATE_SCHEMA,
        ),
    ]
    refusals: Refusals


class RefusedCallsReason(Struct, frozen=True):
    """One reason."""

    denied_by: Annotated[
        str,
        Meta(description="What refused: the name of a limit, such as `hour` or `credits`, or why."),
    ]
    code: Annotated[
        int | None,
        Meta(description="Code of the error that it is told with; `null` if it is none any more."),
    ]
    message: Annotated[
        str,
        Meta(description="Message of that error, in the language that this call asks for."),
    ]
    refusals: Refusals


class RefusedCallsTotals(Struct, frozen=True):
    """Sums over the whole range."""

    refusals: Refusals


class RefusedCallsData(Struct, frozen=True):
    """The refused calls of a range."""

    series: Annotated[
        list[RefusedCallsDay],
        Meta(description="Refused calls by day, ascending; days without are left out."),
    ]
    by_reason: Annotated[
        list[RefusedCallsReason],
        Meta(description="The same by reason, the most frequent first, then by name."),
    ]
    totals: Annotated[RefusedCallsTotals, Meta(description="Sums over the whole range.")]


class RefusedCallsAnswer(Struct, frozen=True):
    """The answer of the report of refused calls."""

    metadata: FiltersMetadata
    data: RefusedCallsData


_RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-14"}

REFUSALS = Operation(
    operation_id="api_keys_get_refusals",
    methods=("POST",),
    path="/api_keys/refusals",
    tag="API Keys",
    title="Refused API Calls",
    summary="Get refused calls by day and reason",
    description=(
        "Calls of the workspace that were not let through, for each day of a date range and by "
        "what refused them. They are in no log and no other report, and cost nothing."
    ),
    audience="customer",
    security="key",
    request=RefusedCallsRequest,
    request_example=dict(_RANGE),
    response=RefusedCallsAnswer,
    response_example={
        "metadata": {"filters": dict(_RANGE)},
        "data": {
            "series": [
                {"date": "2026-05-05", "refusals": 12},
                {"date": "2026-05-06", "refusals": 3},
            ],
            "by_reason": [
                {
                    "denied_by": "hour",
                    "code": 42902,
                    "message": "The limit 'hour' is used up. Please try again later.",
                    "refusals": 11,
                },
                {
                    "denied_by": "credits",
                    "code": 40201,
                    "message": "The workspace has not enough credits left.",
                    "refusals": 4,
                },
            ],
            "totals": {"refusals": 15},
        },
    },
    errors=(*kinds.CUSTOMER, errors.UNKNOWN_FIELD, *RANGE_ERRORS),
)

OPERATIONS = (REFUSALS,)
