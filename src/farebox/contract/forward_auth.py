"""Forward authentication: a gateway asks, request by request, whether to let it through (SPEC 4).

The credential is the API key of the request that is asked about, in the headers that the gateway
passes on; so only gateways may reach these addresses. Each has its own, since each tells method,
path and caller in another place, and what stands in another's place may come from the caller:

    forward-auth           Traefik, Caddy: X-Forwarded-Method, X-Forwarded-Uri, X-Forwarded-For
    forward-auth/{path}    Envoy: the question's own method, the path, X-Forwarded-For
    forward-auth-nginx     nginx: X-Original-Method, X-Original-URI, X-Real-IP, X-Request-ID

A query is never looked at: some gateways leave the caller's on the question. nginx knows only 2xx,
401 and 403, and shows no body: there every refusal but 401 is 403, and the true answer stands in
headers.
"""

from __future__ import annotations

from dataclasses import replace

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.parameters import ORIGINAL_PATH, Parameter
from farebox.contract.rate_headers import (
    CREDITS_LEFT,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
)
from farebox.contract.service import PLAIN
from farebox.core import errors
from farebox.core.errors import ErrorKind

FORWARDED_METHOD, FORWARDED_URI = "X-Forwarded-Method", "X-Forwarded-Uri"
FORWARDED_FOR = "X-Forwarded-For"
ORIGINAL_METHOD, ORIGINAL_URI = "X-Original-Method", "X-Original-URI"
REAL_IP, REQUEST_ID = "X-Real-IP", "X-Request-ID"

# Told to the upstream of what is let through.
PROFILE_ID, KEY_ID = "Farebox-Profile-Id", "Farebox-Key-Id"
USER_ID, QUERY_LOG_ID = "Farebox-User-Id", "Farebox-Query-Log-Id"
# Told to nginx of what is refused: the true status, and the body in ASCII.
TRUE_STATUS, TRUE_BODY = "Farebox-Status", "Farebox-Body"
# What nginx takes for a refusal; the others are a wrong question, and a fault.
NGINX_STATUSES = (401, 403, 405, 500)

_ERRORS: tuple[ErrorKind, ...] = (
    errors.INVALID_REQUEST,
    errors.MISSING_FIELD,
    errors.INVALID_FIELD,
    errors.MISSING_KEY,
    errors.INVALID_KEY,
    errors.NO_CREDITS,
    errors.KEY_CAP_REACHED,
    errors.SUSPENDED,
    errors.NO_API_ACCESS,
    errors.UNMAPPED_DENIED,
    errors.LOG_TYPE_NOT_ALLOWED,
    errors.IP_NOT_ALLOWED,
    errors.QUOTA_EXCEEDED,
    errors.QUEUE_FULL,
    *kinds.COMMON,
)
_ANSWER_HEADERS = (
    Parameter(PROFILE_ID, "Id of the workspace.", 1, type_name="integer"),
    Parameter(KEY_ID, "Id of the API key.", "key_5hZ0c2rWq8Lm"),
    Parameter(USER_ID, "Id of the user of the key.", "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71"),
    Parameter(
        QUERY_LOG_ID,
        "Id of the log entry of the request.",
        "019df6f7-5b8c-7a41-9c3e-2f10d4b7a655",
    ),
    Parameter(RATE_LIMIT_POLICY, "The limits that apply.", '"minute";q=60;w=60'),
    Parameter(RATE_LIMIT, "What is left of them, and for how long.", '"minute";r=59;t=18'),
    Parameter(CREDITS_LEFT, "Credits that are left to spend.", "1247.5"),
)
_CALLER = Parameter(FORWARDED_FOR, "Its last address is the caller's.", "198.51.100.7")

FORWARD_AUTH = Operation(
    operation_id="forward_auth",
    methods=("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
    path="/v1/forward-auth",
    tag="Gate",
    title="Forward Authentication",
    summary="Decide a request for Traefik or Caddy",
    description=(
        "Answers 200 when the request may go on and records it at its price, since no settlement "
        "follows. A refusal has the status and the body to answer the caller with. Only a gateway "
        "may reach this address: what it tells of the request is believed."
    ),
    audience="metering",
    security="forwarded",
    headers=(
        Parameter(FORWARDED_METHOD, "Method of the request.", "POST"),
        Parameter(FORWARDED_URI, "Path of the request; its query is dropped.", "/people/search"),
        _CALLER,
    ),
    answer_headers=_ANSWER_HEADERS,
    response_media_type=PLAIN,
    response_example="",
    errors=_ERRORS,
)

FORWARD_AUTH_PATH = replace(
    FORWARD_AUTH,
    operation_id="forward_auth_path",
    path=f"/v1/forward-auth/{{{ORIGINAL_PATH}}}",
    title="Forward Authentication by Path",
    summary="Decide a request for Envoy",
    description=(
        "The same for gateways that ask with the request's own method and with its path after "
        "this address, such as Envoy's HTTP `ext_authz`. The query is the request's and is dropped."
    ),
    headers=(_CALLER,),
)

FORWARD_AUTH_NGINX = replace(
    FORWARD_AUTH,
    operation_id="forward_auth_nginx",
    path="/v1/forward-auth-nginx",
    title="Forward Authentication for nginx",
    summary="Decide a request for nginx",
    description=(
        "The same for the `auth_request` of nginx, which understands 2xx, 401 and 403 only: "
        "whatever else is refused is answered with 403, with the true status in `Farebox-Status` "
        "and the body in `Farebox-Body`."
    ),
    headers=(
        Parameter(ORIGINAL_METHOD, "Method of the request.", "POST"),
        Parameter(ORIGINAL_URI, "Path of the request; its query is dropped.", "/people/search"),
        Parameter(REAL_IP, "Address of the caller.", "198.51.100.7"),
        Parameter(REQUEST_ID, "Id of the request: the same again is counted once.", "b7a6552f10d4"),
    ),
    errors=tuple(kind for kind in _ERRORS if kind.status in NGINX_STATUSES),
)

OPERATIONS = (FORWARD_AUTH, FORWARD_AUTH_PATH, FORWARD_AUTH_NGINX)
