"""The gate: a request of your API is admitted or refused before it costs anything (SPEC 4).

`authorize` holds credits and quota, `settle` charges what it did cost, `void` gives all of it back.
A refusal is an answer like any other, so both answers of `authorize` are 200. Limits are told in
requests, and those of credits in credits.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.contract import kinds
from farebox.contract.metering import CallFacts, Channel, LogTypeSlug, RequestId
from farebox.contract.operation import AnswerForm, Operation
from farebox.contract.wire import CreditsIn, JsonObject, Number
from farebox.core import errors
from farebox.core.admission import LimitName
from farebox.core.key import KEY_LENGTH_MAX

RESERVATION_LENGTH_MAX = 4096

ReservationId = Annotated[
    str,
    Meta(
        description="The `reservation_id` that authorizing gave.",
        min_length=1,
        max_length=RESERVATION_LENGTH_MAX,
        examples=["rsv_AZ3297-N..."],
    ),
]

DeniedStatus = Literal[401, 402, 403, 429]


class AuthorizeRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A request that is to be admitted."""

    key: Annotated[
        str,
        Meta(
            description="The API key that the request came with, whole.",
            max_length=KEY_LENGTH_MAX,
        ),
    ]
    log_type: LogTypeSlug | UnsetType | None = UNSET
    method: Annotated[str, Meta(description="HTTP method.", max_length=32)] | UnsetType = UNSET
    path: Annotated[str, Meta(description="Path of the call.", max_length=4096)] | UnsetType = UNSET
    credits: (
        Annotated[
            CreditsIn,
            Meta(
                description=(
                    "The most that it may cost; this is held. Default: what the log type holds."
                )
            ),
        ]
        | UnsetType
    ) = UNSET
    channel: Channel | UnsetType = UNSET
    id: (
        Annotated[
            RequestId,
            Meta(
                description=(
                    "Your id of the request: the same again gets the same reservation. "
                    "Default: a new one."
                )
            ),
        ]
        | UnsetType
    ) = UNSET
    ip: (
        Annotated[
            str,
            Meta(
                description="IP address of the caller, for a key that is bound to some.",
                max_length=64,
            ),
        ]
        | UnsetType
        | None
    ) = UNSET

    def __repr__(self) -> str:
        """Without the key."""
        return f"AuthorizeRequest(id={self.id!r})"


class LimitData(Struct, frozen=True):
    """A limit that applies to the request, after it."""

    name: Annotated[LimitName, Meta(description="Which limit it is.")]
    limit: Annotated[
        Number | None,
        Meta(description="Requests in the window, or credits; `null` for a balance."),
    ]
    remaining: Annotated[Number, Meta(description="Requests, or credits, that are left.")]
    reset: Annotated[
        str | None,
        Meta(
            description="When it begins anew, ISO 8601 UTC; `null` for what never does.",
            extra_json_schema={"format": "date-time"},
        ),
    ]


class Admitted(Struct, frozen=True):
    """The request may go on, and is to be settled or voided."""

    allowed: Annotated[
        bool,
        Meta(
            description="Whether the request may go on: `true` here.",
            extra_json_schema={"const": True},
        ),
    ]
    reservation_id: Annotated[str, Meta(description="What to settle or void the request by.")]
    profile_id: Annotated[int, Meta(description="Id of the workspace.")]
    key_id: Annotated[str, Meta(description="Id of the API key.")]
    user_id: Annotated[
        str, Meta(description="Id of the user of the key.", extra_json_schema={"format": "uuid"})
    ]
    held_credits: Annotated[Number, Meta(description="Credits held: the most it may cost.")]
    limits: Annotated[list[LimitData], Meta(description="Every limit that applies.")]


class Denied(Struct, frozen=True):
    """The request must not go on; nothing was consumed."""

    allowed: Annotated[
        bool,
        Meta(
            description="Whether the request may go on: `false` here.",
            extra_json_schema={"const": False},
        ),
    ]
    status: Annotated[DeniedStatus, Meta(description="The HTTP status to answer the caller with.")]
    code: Annotated[int, Meta(description="The error code; its first three digits are the status.")]
    message: Annotated[str, Meta(description="What is wrong and what would be right, for people.")]
    denied_by: Annotated[
        str,
        Meta(
            description=(
                "What refused it: the name of a limit, or `key`, `workspace`, `plan`, `unmapped`, "
                "`log_type` or `ip`."
            )
        ),
    ]
    retry_after: (
        Annotated[
            int, Meta(description="Seconds after which to try again; absent where none help.")
        ]
        | UnsetType
    ) = UNSET


class SettleRequest(CallFacts, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a request that was admitted has ended."""

    reservation_id: ReservationId
    credits: (
        Annotated[
            CreditsIn,
            Meta(
                description=(
                    "What it did cost, at most what is held. Default: the price valid at its "
                    "time, and 0 for a status of 400 or above."
                )
            ),
        ]
        | UnsetType
    ) = UNSET


class SettleAnswer(Struct, frozen=True):
    """What was charged, after the commit."""

    charged: Annotated[Number, Meta(description="Credits charged for the request.")]
    balance: Annotated[Number, Meta(description="Credits of the workspace that are left to spend.")]


class VoidRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A reservation that is to be given back."""

    reservation_id: ReservationId


class VoidAnswer(Struct, frozen=True):
    """It was given back, after the commit."""


_RESERVATION = "rsv_AZ3297-NekGcPi8Q1LemVQ"
_ADMITTED: JsonObject = {
    "allowed": True,
    "reservation_id": _RESERVATION,
    "profile_id": 1,
    "key_id": "key_5hZ0c2rWq8Lm",
    "user_id": "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
    "held_credits": 2.5,
    "limits": [
        {"name": "minute", "limit": 60, "remaining": 59, "reset": "2026-05-05T11:10:00.000Z"},
        {"name": "credits", "limit": None, "remaining": 1247.5, "reset": None},
    ],
}
_DENIED: JsonObject = {
    "allowed": False,
    "status": 429,
    "code": 42902,
    "message": "The limit 'minute' is used up. Please try again later.",
    "denied_by": "minute",
    "retry_after": 18,
}

AUTHORIZE = Operation(
    operation_id="authorize",
    methods=("POST",),
    path="/v1/authorize",
    tag="Gate",
    title="Authorize a Request",
    summary="Admit or refuse a request before it is served",
    description=(
        "Decides over the key, the plan, every limit and the credits at once. What is admitted "
        "holds its credits until it is settled or voided, or the reservation expires; what is "
        "refused consumes nothing. Both answers have the status 200: `allowed` tells which it is."
    ),
    audience="metering",
    security="meter",
    request=AuthorizeRequest,
    request_example={
        "key": "fbx_0123456789...",
        "method": "POST",
        "path": "/people/search",
        "id": "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655",
    },
    response=Admitted,
    response_example=_ADMITTED,
    other_answers=(AnswerForm("denied", Denied, _DENIED),),
    errors=(*kinds.GATE, errors.UNKNOWN_LOG_TYPE, errors.RESERVATION_TAKEN),
)

SETTLE = Operation(
    operation_id="settle",
    methods=("POST",),
    path="/v1/settle",
    tag="Gate",
    title="Settle a Reservation",
    summary="Charge what an admitted request did cost, and record it",
    description=(
        "Records the request and charges it, once: the same again gets the same answer. At most "
        "what is held can be charged. A reservation that has expired is charged all the same."
    ),
    audience="metering",
    security="meter",
    request=SettleRequest,
    request_example={
        "reservation_id": _RESERVATION,
        "credits": 1.5,
        "status_code": 200,
        "method": "POST",
        "path": "/people/search",
        "duration_ms": 184,
    },
    response=SettleAnswer,
    response_example={"charged": 1.5, "balance": 1248.5},
    errors=(
        *kinds.GATE,
        errors.UNPROCESSABLE,
        errors.INVALID_RESERVATION,
        errors.ABOVE_HOLD,
        errors.RESERVATION_ENDED,
        errors.RESERVATION_TAKEN,
    ),
)

VOID = Operation(
    operation_id="void",
    methods=("POST",),
    path="/v1/void",
    tag="Gate",
    title="Void a Reservation",
    summary="Give back what an admitted request holds",
    description=(
        "For a request that was admitted and never served: its credits and its place in every "
        "limit are given back. The same again gets the same answer."
    ),
    audience="metering",
    security="meter",
    request=VoidRequest,
    request_example={"reservation_id": _RESERVATION},
    response=VoidAnswer,
    response_example={},
    errors=(
        *kinds.GATE,
        errors.INVALID_RESERVATION,
        errors.RESERVATION_ENDED,
        errors.RESERVATION_TAKEN,
    ),
)

OPERATIONS = (AUTHORIZE, SETTLE, VOID)
