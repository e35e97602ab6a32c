"""The keys of a workspace and the log of their requests. No answer here holds a secret."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.profile import ProfileRequest, UserData
from farebox.contract.usage import FiltersMetadata
from farebox.contract.wire import JsonObject, Number, ProfileId
from farebox.core import errors

PAGE = 1
PER_PAGE = 25
PER_PAGE_MAX = 100
DISPLAY_PAGES_MAX = 250
LIST_ITEMS_MAX = 1000
API_KEY_NAME = "API Key"

OrderBy = Literal["created_at", "duration_ms", "credits", "status_code", "response_size"]
_UUID = {"format": "uuid"}
UserId = Annotated[str, Meta(description="Id of the user, a UUID.", extra_json_schema=_UUID)]
QueryLogId = Annotated[
    str, Meta(description="Id of the request in the log, a UUID.", extra_json_schema=_UUID)
]
MaskedAuthentication = Annotated[str, Meta(description="The masked API key.")]


class KeyData(Struct, frozen=True):
    """One key, without its secret."""

    key_id: Annotated[str, Meta(description="The key's id, which is unique; a mask need not be.")]
    name: Annotated[str, Meta(description="Name of the key; may be empty.")]
    masked_authentication: MaskedAuthentication
    user_id: UserId
    created_at: Annotated[
        str, Meta(description="When the key was made, in the workspace's timezone.")
    ]
    last_used: Annotated[
        str | None,
        Meta(description="Time of the key's last request, in the workspace's timezone."),
    ]
    expires_at: Annotated[
        str | None, Meta(description="When the key expires, in the workspace's timezone.")
    ]
    status: Annotated[
        Literal["active", "expired", "revoked"], Meta(description="Whether the key can be used.")
    ]
    rotated_from: Annotated[
        str | None, Meta(description="The key id of the key that this one replaces.")
    ]


class KeysAnswer(Struct, frozen=True):
    """The answer of the list of keys."""

    metadata: FiltersMetadata
    data: list[KeyData]


class LogsRequest(Struct, kw_only=True, frozen=True):
    """The body of the log: a page, an order and filters; null is as good as absent."""

    page: Annotated[
        int | None,
        Meta(
            description="Optional. The page, from 1.", extra_json_schema={"default": PAGE}, ge=1
        ),
    ] = None
    per_page: Annotated[
        int | None,
        Meta(
            description="Optional. Requests on a page, at most 100.",
            extra_json_schema={"default": PER_PAGE},
            ge=1,
            le=PER_PAGE_MAX,
        ),
    ] = None
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
    search_term: Annotated[
        str | None,
        Meta(
            description="Optional. Text to be found in the path, the masked key or the IP address.",
            max_length=200,
        ),
    ] = None
    log_types: Annotated[
        list[int] | None,
        Meta(
            description="Optional. Only these log types, by id; 0 stands for the unmapped.",
            max_length=LIST_ITEMS_MAX,
        ),
    ] = None
    log_type_slugs: Annotated[
        list[str] | None,
        Meta(
            description="Optional. Only these log types, by slug; `__unknown__` for the unmapped.",
            max_length=LIST_ITEMS_MAX,
        ),
    ] = None
    status_codes: Annotated[
        list[int] | None,
        Meta(description="Optional. Only these HTTP statuses.", max_length=LIST_ITEMS_MAX),
    ] = None
    methods: Annotated[
        list[str] | None,
        Meta(description="Optional. Only these HTTP methods.", max_length=LIST_ITEMS_MAX),
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
        list[str] | None,
        Meta(
            description="Optional. Only these API keys, masked or by key id.",
            max_length=LIST_ITEMS_MAX,
        ),
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
    user: Annotated[UserData, Meta(description="The user of the API key.")]
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

LIST = Operation(
    operation_id="api_keys_list",
    methods=("POST", "GET"),
    path="/api_keys",
    tag="API Keys",
    title="API Keys",
    summary="List the workspace's API keys",
    description="All API keys of the workspace, the newest first, revoked ones included.",
    audience="customer",
    security="key",
    request=ProfileRequest,
    request_example={},
    response=KeysAnswer,
    response_example={
        "metadata": {"filters": {}},
        "data": [
            {
                "key_id": "key_5hZ0c2rWq8Lm",
                "name": "Production",
                "masked_authentication": "f••••••••••••••••a7Q",
                "user_id": _USER["user_id"],
                "created_at": "2026-04-02 09:15:00.000",
                "last_used": "2026-05-05 11:09:42.508",
                "expires_at": None,
                "status": "active",
                "rotated_from": None,
            }
        ],
    },
    errors=kinds.CUSTOMER,
    is_vendor_shaped=True,
)

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

OPERATIONS = (LIST, LOGS, LOOKUP)
