"""The metering API: requests of the provider's API come in, by rows or as CloudEvents (SPEC 4).

A field that a caller leaves out stays UNSET, since a repeat is compared as it was sent. An unknown
field of a row is refused, row by row: `RawBatch` lets a face decode each row by itself. What else
stands in a CloudEvent or its data is ignored, as by the vendor whose clients send them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.contract import kinds
from farebox.contract.operation import Body, Operation
from farebox.contract.parameters import Parameter
from farebox.contract.wire import JSON, CreditsIn, JsonObject
from farebox.core import errors
from farebox.core.identity import ID_BYTES_MAX

ROWS_MAX = 10_000
BODY_BYTES_MAX = 16 * 1024 * 1024
SLUG_LENGTH_MAX = 64
CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS_BATCH = "application/cloudevents-batch+json"

RequestId = Annotated[
    str,
    Meta(
        description="Your id of the request: the same again is a repeat, and counts once.",
        min_length=1,
        max_length=ID_BYTES_MAX,
        examples=["019df6f7-5b8c-7a41-9c3e-2f10d4b7a655"],
    ),
]
Source = Annotated[
    str,
    Meta(
        description="Where the request was metered. Ids are unique within a source.",
        max_length=ID_BYTES_MAX,
        examples=["gateway-1"],
    ),
]
Time = Annotated[
    str,
    Meta(
        description="When the request was made, RFC 3339 with an offset. Default: now.",
        max_length=64,
        extra_json_schema={"format": "date-time"},
        examples=["2026-05-05T11:09:42.508Z"],
    ),
]

Channel = Annotated[
    Literal["api", "portal"],
    Meta(description="Which quota it counts against. Default: the channel of the key."),
]
LogTypeSlug = Annotated[
    str,
    Meta(
        description=(
            "Slug of the log type; `null` for an unmapped request. Default: looked up by "
            "`method` and `path`."
        ),
        max_length=SLUG_LENGTH_MAX,
    ),
]


class CallFacts(Struct, kw_only=True, frozen=True):
    """What may be told of a call and its answer. All of it is optional."""

    method: Annotated[str, Meta(description="HTTP method.", max_length=32)] | UnsetType | None = (
        UNSET
    )
    path: (
        Annotated[str, Meta(description="Path of the call.", max_length=4096)] | UnsetType | None
    ) = UNSET
    status_code: (
        Annotated[int, Meta(description="HTTP status of the answer.", ge=100, le=599)]
        | UnsetType
        | None
    ) = UNSET
    duration_ms: (
        Annotated[int, Meta(description="How long it took, in milliseconds.", ge=0, le=10**12)]
        | UnsetType
        | None
    ) = UNSET
    response_size: (
        Annotated[int, Meta(description="Size of the answer, in bytes.", ge=0, le=10**15)]
        | UnsetType
        | None
    ) = UNSET
    ip: (
        Annotated[str, Meta(description="IP address of the caller.", max_length=64)]
        | UnsetType
        | None
    ) = UNSET
    request_headers: (
        Annotated[
            dict[str, str],
            Meta(description="Headers of the request, kept when capturing is on; secrets are not."),
        ]
        | UnsetType
        | None
    ) = UNSET
    request_body: (
        Annotated[str, Meta(description="Body of the request, kept when capturing is on.")]
        | UnsetType
        | None
    ) = UNSET
    response_body: (
        Annotated[str, Meta(description="Body of the answer, kept when capturing is on.")]
        | UnsetType
        | None
    ) = UNSET


class RequestFacts(CallFacts, kw_only=True, frozen=True):
    """What both ways in may tell of a request. All of it is optional."""

    credits: (
        Annotated[
            CreditsIn,
            Meta(
                description=(
                    "What it cost, with at most 6 decimal places. Default: the price valid at its "
                    "time, and 0 for a status of 400 or above."
                )
            ),
        ]
        | UnsetType
    ) = UNSET
    channel: Channel | UnsetType = UNSET


class RequestRow(RequestFacts, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One metered request."""

    id: RequestId
    source: Source | UnsetType = UNSET
    key_id: (
        Annotated[str, Meta(description="Id of the API key. This or `key` is needed.")] | UnsetType
    ) = UNSET
    key: (
        Annotated[str, Meta(description="The API key itself. This or `key_id` is needed.")]
        | UnsetType
    ) = UNSET
    log_type: LogTypeSlug | UnsetType | None = UNSET
    time: Time | UnsetType = UNSET

    def __repr__(self) -> str:
        """Without the key, the headers and the bodies."""
        return f"RequestRow(id={self.id!r}, source={self.source!r})"


class RequestBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call that records requests."""

    requests: Annotated[
        list[RequestRow], Meta(description="At most 10,000 requests.", max_length=ROWS_MAX)
    ]


class RawBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """The same body with rows not decoded yet, so that a bad one spoils no other."""

    requests: list[msgspec.Raw]


class Conflict(Struct, frozen=True):
    """A row whose id was recorded before with another content."""

    index: Annotated[int, Meta(description="Place of the row in the call, from 0.")]
    id: Annotated[str, Meta(description="Your id of the row.")]


class Rejected(Struct, frozen=True):
    """A row that was not recorded."""

    index: Annotated[int, Meta(description="Place of the row in the call, from 0.")]
    code: Annotated[int, Meta(description="The error code; its first three digits are the status.")]
    message: Annotated[str, Meta(description="What is wrong and what would be right, for people.")]


class RecordAnswer(Struct, frozen=True):
    """What became of the rows of a call, after the commit."""

    accepted: Annotated[int, Meta(description="Rows that were recorded by this call.")]
    duplicates: Annotated[int, Meta(description="Rows that had been recorded before.")]
    conflicts: Annotated[
        list[Conflict],
        Meta(description="Rows whose id was used before with another content; nothing changed."),
    ]
    rejected: Annotated[list[Rejected], Meta(description="Rows that were refused, and why.")]


class CloudEvent(Struct, kw_only=True, frozen=True):
    """A CloudEvent 1.0 that tells of one request; its extension attributes are ignored."""

    specversion: Annotated[Literal["1.0"], Meta(description="Version of CloudEvents: `1.0`.")]
    id: RequestId
    source: Annotated[Source, Meta(min_length=1)]
    type: Annotated[
        str,
        Meta(
            description="Slug of the log type.",
            max_length=SLUG_LENGTH_MAX,
            examples=["people_search"],
        ),
    ]
    subject: Annotated[str, Meta(description="Id of the API key.", examples=["key_5hZ0c2rWq8Lm"])]
    time: Time | UnsetType | None = UNSET
    datacontenttype: (
        Annotated[str, Meta(description="Media type of `data`, if given: `application/json`.")]
        | UnsetType
        | None
    ) = UNSET
    data: (
        Annotated[RequestFacts, Meta(description="More about the request.")] | UnsetType | None
    ) = UNSET
    data_base64: (
        Annotated[str, Meta(description="Refused: `data` must be a JSON object.")]
        | UnsetType
        | None
    ) = UNSET


_ROW: JsonObject = {
    "id": "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655",
    "source": "gateway-1",
    "key_id": "key_5hZ0c2rWq8Lm",
    "log_type": "people_search",
    "time": "2026-05-05T11:09:42.508Z",
    "method": "POST",
    "path": "/people/search",
    "status_code": 200,
    "duration_ms": 184,
}
_EVENT: JsonObject = {
    "specversion": "1.0",
    "id": "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655",
    "source": "gateway-1",
    "type": "people_search",
    "subject": "key_5hZ0c2rWq8Lm",
    "time": "2026-05-05T11:09:42.508Z",
    "data": {"method": "POST", "path": "/people/search", "status_code": 200},
}

REQUESTS = Operation(
    operation_id="requests_record",
    methods=("POST",),
    path="/v1/requests",
    tag="Metering",
    title="Record Requests",
    summary="Record metered requests",
    description=(
        "Records up to 10,000 requests of your API, each exactly once, and answers after they are "
        "safely stored. A row that is refused keeps no other from being recorded."
    ),
    audience="metering",
    security="meter",
    request=RequestBatch,
    request_example={"requests": [_ROW]},
    response=RecordAnswer,
    response_example={"accepted": 1, "duplicates": 0, "conflicts": [], "rejected": []},
    errors=kinds.METERING,
)

EVENTS = Operation(
    operation_id="events_record",
    methods=("POST",),
    path="/api/v1/events",
    tag="Metering",
    title="Record CloudEvents",
    summary="Record metered requests sent as CloudEvents",
    description=(
        "Takes CloudEvents 1.0, one or many, in structured, batched or binary mode, as the "
        "OpenMeter clients send them. `type` is the slug of a log type and `subject` the id of an "
        "API key. Fields of `data` that aren't listed are ignored. When some are refused the "
        "others are recorded all the same."
    ),
    audience="metering",
    security="meter",
    bodies=(
        Body(CLOUDEVENT, (CloudEvent,), _EVENT),
        Body(CLOUDEVENTS_BATCH, (list[CloudEvent],), [_EVENT]),
        Body(JSON, (list[CloudEvent], CloudEvent, RequestFacts), [_EVENT]),
    ),
    headers=(
        Parameter("ce-specversion", "Binary mode: the version, `1.0`.", "1.0"),
        Parameter("ce-id", "Binary mode: your id of the request.", "019df6f7-5b8c"),
        Parameter("ce-source", "Binary mode: where it was metered.", "gateway-1"),
        Parameter("ce-type", "Binary mode: slug of the log type.", "people_search"),
        Parameter("ce-subject", "Binary mode: id of the API key.", "key_5hZ0c2rWq8Lm"),
        Parameter("ce-time", "Binary mode: when it was made.", "2026-05-05T11:09:42.508Z"),
    ),
    success_status=204,
    errors=(*kinds.METERING, errors.EVENTS_REJECTED),
    is_vendor_shaped=True,
)

OPERATIONS = (REQUESTS, EVENTS)
