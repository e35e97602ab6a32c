"""Quotas: the credits of a workspace in the current period, flat (seed: quotas)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.wire import Number


class QuotasAnswer(Struct, frozen=True):
    """The eight fields, without an envelope."""

    name: Annotated[
        str, Meta(description="Name of the workspace, at most 55 characters.", max_length=55)
    ]
    uid: Annotated[
        str,
        Meta(
            description="Unique id of the workspace, a UUID.", extra_json_schema={"format": "uuid"}
        ),
    ]
    credits_left: Annotated[
        Number,
        Meta(
            description="Credits that can be spent now; never below 0.",
            extra_json_schema={"minimum": 0},
        ),
    ]
    credits_max: Annotated[
        int,
        Meta(
            description=(
                "Credits of the current period in whole numbers, rounded up: the balance at its "
                "start and what was granted since, less what expired unspent."
            ),
            ge=0,
        ),
    ]
    credits_used: Annotated[
        Number,
        Meta(
            description="Credits charged in the current period.", extra_json_schema={"minimum": 0}
        ),
    ]
    plan_name: Annotated[str | None, Meta(description="Name of the current plan.")]
    current_month_start: Annotated[
        str | None,
        Meta(
            description="Start of the current period, ISO 8601 in UTC.",
            extra_json_schema={"format": "date-time"},
        ),
    ]
    current_month_end: Annotated[
        str | None,
        Meta(
            description="Last second of the current period, ISO 8601 in UTC.",
            extra_json_schema={"format": "date-time"},
        ),
    ]


QUOTAS = Operation(
    operation_id="quotas_get",
    methods=("GET",),
    path="/v1/quotas",
    tag="Quotas",
    title="Quotas",
    summary="Get the workspace's credits and period",
    description=(
        "Credits left, used and allotted in the current billing period, with the plan's name and "
        "the period's start and end."
    ),
    audience="customer",
    security="key",
    response=QuotasAnswer,
    response_example={
        "name": "Acme Corporation",
        "uid": "123e4567-e89b-12d3-a456-426614174000",
        "credits_left": 1250.5,
        "credits_max": 2000,
        "credits_used": 749.5,
        "plan_name": "Gold",
        "current_month_start": "2024-01-01T00:00:00Z",
        "current_month_end": "2024-01-31T23:59:59Z",
    },
    errors=kinds.CUSTOMER,
    error_family="quotas",
    is_vendor_shaped=True,
)

OPERATIONS = (QUOTAS,)
