"""The log of a workspace's requests, and what was captured of one (vendor: api_keys/logs).

A page has at most 100 requests, and 250 pages can be read; a query that takes too long says so.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.keys import MaskedAuthentication, UserId
from farebox.contract.operation import Operation
from farebox.contract.profile import KeyUser
from farebox.contract.usage import FiltersMetadata
from farebox.contract.wire import Items, JsonObject, Number, ProfileId
from farebox.core import errors

PAGE = 1
PER_PAGE = 25
PER_PAGE_MAX = 100
DISPLAY_PAGES_MAX = 250
SEARCH_TERM_LENGTH_MAX = 200
API_KEY_NAME = "API Key"

OrderBy = Literal["created_at", "duration_ms", "credits", "status_code", "response_size"]
QueryLogId = Annotated[
    str,
    Meta(description="Id of the request in the log, a UUID.", extra_json_schema={"format": "uuid"}),
]


class LogsRequest(Struct, kw_only=True, frozen=True):
    """The body of the log: a page, an order and filters; null is as good as absent."""

    page: (
        Annotated[
            int,
            Meta(
                description="Optional. The page, from 1.",
                extra_json_schema={"default": PAGE},
                ge=1,
            ),
        ]
        | None
    ) = None
    per_page: (
        Annotated[
            int,
            Meta(
                description="Optional. Requests on a page, at most 100.",
                extra_json_schema={"default": PER_PAGE},
                ge=1,
                le=PER_PAGE_MAX,
            ),
        ]
        | None
    ) = None
    order_by: Annotated[
        OrderBy | None,
        Meta(
            description="Optional. What the requests are ordered by.",
            extra_json_schema={"default": "created_at"},
        ),
    ] = None
    is_ascending_order: Annotated[
        bool | None,
        Meta(
            description="Optional. Whether the smallest comes first.",
            extra_json_schema={"default": False},
        ),
    ] = None
    search_term: (
        Annotated[
            str,
            Meta(
                description=(
                    "Optional. Text to be found in the path, the masked key or the IP address."
                ),
                max_length=SEARCH_TERM_LENGTH_MAX,
            ),
        ]
        | None
    ) = None
    log_types: Annotated[
        Items[int] | None,
        Meta(description="Optional. Only these log types, by id; 0 stands for the unmapped."),
    ] = None
    log_type_slugs: Annotated[
        Items[str] | None,
        Meta(
            description="Optional. Only these log types, by slug; `__unknown__` for the unmapped."
        ),
    ] = None
    status_codes: Annotated[
        Items[int] | None, Meta(description="Optional. Only these HTTP statuses.")
    ] = None
    methods: Annotated[
        Items[str] | None, Meta(description="Optional. Only these HTTP methods.")
    ] = None
    start_date: Annotated[
        str | None,
        Meta(
            description="Optional. First day, as `YYYY-MM-DD`, in the workspace's timezone.",
            extra_json_schema={"format": "date"},
        ),
    ] = None
    end_date: Annotated[
        str | None,
        Meta(
            description="Optional. Last day, as `YYYY-MM-DD`, in the workspace's timezone.",
            extra_json_schema={"format": "date"},
        ),
    ] = None
    keys: Annotated[
        Items[str] | None, Meta(description="Optional. Only these API keys, masked or by key id.")
    ] = None
    profile_id: ProfileId = None


class Pagination(Struct, frozen=True):
    """Where a page stands."""

    page: Annotated[int, Meta(description="The page, from 1.")]
    per_page: Annotated[int, Meta(description="Requests on a page.")]
    total_entries: Annotated[int, Meta(description="Requests that match, on all pages.")]
    total_pages: Annotated[int, Meta(description="Pages that they fill.")]
    total_display_pages: Annotated[
        int, Meta(description="Pages that can be read: at most 250; those beyond are empty.")
    ]
    is_timeout: Annotated[
        bool,
        Meta(description="Whether counting took too long; the totals then say how far it came."),
    ]


class QueryLog(Struct, frozen=True):
    """One request of the log."""

    query_log_id: QueryLogId
    created_at: Annotated[
        str, Meta(description="Time of the request, in the workspace's timezone.")
    ]
    profile_id: Annotated[int, Meta(description="Id of the workspace.")]
    user_id: UserId
    method: Annotated[str | None, Meta(description="HTTP method.")]
    path: Annotated[str | None, Meta(description="Path of the call.")]
    status_code: Annotated[int | None, Meta(description="HTTP status of the answer.")]
    duration_ms: Annotated[int | None, Meta(description="How long it took, in milliseconds.")]
    log_type_id: Annotated[int, Meta(description="Id of the log type; 0 when unmapped.")]
    authentication_type: Annotated[
        str | None, Meta(description="The header that the API key came in.")
    ]
    masked_authentication: MaskedAuthentication
    response_size: Annotated[int | None, Meta(description="Size of the answer, in bytes.")]
    ip: Annotated[str | None, Meta(description="IP address of the caller.")]
    email: Annotated[str, Meta(description="E-mail address of the user.")]
    nickname: Annotated[str, Meta(description="Nickname of the user.")]
    user: Annotated[KeyUser, Meta(description="The user of the API key.")]
    log_type_slug: Annotated[
        str | None, Meta(description="Slug of the log type; `null` for the unmapped requests.")
    ]
    credits: Annotated[Number, Meta(description="Credits consumed.")]
    log_type_name: Annotated[
        str | None, Meta(description="Name of the log type; `null` for the unmapped requests.")
    ]
    authentication_type_name: Annotated[
        str, Meta(description="The kind of authentication, for people.")
    ]


class LogsData(Struct, frozen=True):
    """A page of the log."""

    pagination: Pagination
    query_logs: list[QueryLog]


class LogsAnswer(Struct, frozen=True):
    """The answer of the log."""

    metadata: FiltersMetadata
    data: LogsData


class LookupRequest(Struct, kw_only=True, frozen=True):
    """The body of the look-up."""

    query_log_id: QueryLogId
    profile_id: ProfileId = None


class LookupMetadata(Struct, frozen=True):
    """Which request was looked up."""

    query_log_id: QueryLogId


class LookupData(Struct, frozen=True):
    """What was captured of a request; empty strings when nothing was."""

    query_log_id: QueryLogId
    request_body: Annotated[str, Meta(description="Body of the request, as it was sent.")]
    request_headers: Annotated[
        str, Meta(description="Headers of the request as JSON; secrets are shown as `***`.")
    ]
    response_body: Annotated[str, Meta(description="Body of the answer, as it was sent.")]
    response_size: Annotated[int | None, Meta(description="Size of the answer, in bytes.")]


class LookupAnswer(Struct, frozen=True):
    """The answer of the look-up."""

    metadata: LookupMetadata
    data: LookupData


_LOG_ID = "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655"
_USER: JsonObject = {
    "user_id": "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
    "nickname": "Ada",
    "email": "ada@example.com",
}

LOGS = Operation(
    operation_id="api_keys_get_logs",
    methods=("POST",),
    path="/api_keys/logs",
    tag="API Keys",
    title="API Request Logs",
    summary="List the workspace's requests",
    description=(
        "The log of the workspace's requests, page by page, with filters. A query that takes too "
        "long ends early and says so in `is_timeout`."
    ),
    audience="customer",
    security="key",
    request=LogsRequest,
    request_example={"per_page": 3, "log_type_slugs": ["people_search"]},
    response=LogsAnswer,
    response_example={
        "metadata": {"filters": {"per_page": 3, "log_type_slugs": ["people_search"]}},
        "data": {
            "pagination": {
                "page": 1,
                "per_page": 3,
                "total_entries": 1109,
                "total_pages": 370,
                "total_display_pages": 250,
                "is_timeout": False,
            },
            "query_logs": [
                {
                    "query_log_id": _LOG_ID,
                    "created_at": "2026-05-05 11:09:42.508",
                    "profile_id": 1,
                    "user_id": _USER["user_id"],
                    "method": "POST",
                    "path": "/people/search",
                    "status_code": 200,
                    "duration_ms": 184,
                    "log_type_id": 1,
                    "authentication_type": "x-api-key",
                    "masked_authentication": "f••••••••••••••••a7Q",
                    "response_size": 5120,
                    "ip": "203.0.113.7",
                    "email": _USER["email"],
                    "nickname": _USER["nickname"],
                    "user": _USER,
                    "log_type_slug": "people_search",
                    "credits": 3,
                    "log_type_name": "People Search",
                    "authentication_type_name": API_KEY_NAME,
                }
            ],
        },
    },
    errors=(
        *kinds.CUSTOMER,
        errors.INVALID_DATE,
        errors.INVERTED_RANGE,
        errors.RANGE_TOO_LONG,
    ),
    is_vendor_shaped=True,
)

LOOKUP = Operation(
    operation_id="api_keys_lookup_log",
    methods=("POST",),
    path="/api_keys/logs/lookup",
    tag="API Keys",
    title="API Request Log Lookup",
    summary="Get what was captured of a request",
    description=(
        "Headers and bodies of one request of the log. They are empty unless capturing is on and "
        "the request is recent enough."
    ),
    audience="customer",
    security="key",
    request=LookupRequest,
    request_example={"query_log_id": _LOG_ID},
    response=LookupAnswer,
    response_example={
        "metadata": {"query_log_id": _LOG_ID},
        "data": {
            "query_log_id": _LOG_ID,
            "request_body": '{"company":"Acme"}',
            "request_headers": '{"x-api-key":"***","content-type":"application/json"}',
            "response_body": '{"people":[]}',
            "response_size": 13,
        },
    },
    errors=(*kinds.CUSTOMER, errors.NOT_FOUND),
    is_vendor_shaped=True,
)

OPERATIONS = (LOGS, LOOKUP)
