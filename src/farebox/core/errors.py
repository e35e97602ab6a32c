"""Errors: one class, one catalogue of kinds, two voices.

    FareboxError
     └─ kind: ErrorKind      status = code // 100; codes are stable and never reused
         ├─ 400xx  the request is malformed          ├─ 413xx  too large
         ├─ 401xx  no valid key or token             ├─ 415xx  wrong media type
         ├─ 402xx  no credits left                   ├─ 422xx  understood, and refused
         ├─ 403xx  not permitted                     ├─ 429xx  too many requests
         ├─ 404xx  no such thing                     ├─ 500xx  a fault of ours
         ├─ 405xx  wrong method                      └─ 503xx  try again later
         ├─ 408xx  too slow
         └─ 409xx  in conflict with what is there

The public voice is `kind.message` with `params`, in the reader's language; it must name the field
and say what would be right. The internal voice (`internal`) goes to the log and never to a caller.
No secret may stand in either.
"""

from __future__ import annotations

from string import Formatter
from typing import NamedTuple


class ErrorKind(NamedTuple):
    """One kind of error: `code` (five digits, the status first), `name`, English `message`."""

    code: int
    name: str
    message: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """What stands in the message's braces, in its order; each is one of `PARAMETERS`."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.message) if name)

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits of the code."""
        return self.code // 100


class FareboxError(Exception):
    """What a caller is told. `params` fill the message's braces; `details` go out as they are."""

    def __init__(
        self,
        kind: ErrorKind,
        *,
        internal: str = "",
        details: dict[str, object] | None = None,
        retry_after_seconds: int | None = None,
        **params: object,
    ) -> None:
        self.kind = kind
        self.internal = internal
        self.details = details or {}
        self.retry_after_seconds = retry_after_seconds
        self.params = params
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English text with its parameters filled in."""
        return self.kind.message.format_map(self.params)


INVALID_REQUEST = ErrorKind(40001, "invalid_request", "The request is not valid: {reason}.")
INVALID_JSON = ErrorKind(40002, "invalid_json", "The body is not valid JSON: {reason}.")
MISSING_FIELD = ErrorKind(40003, "missing_field", "The field '{field}' is required.")
INVALID_FIELD = ErrorKind(40004, "invalid_field", "The field '{field}' must be {expected}.")
INVALID_DATE = ErrorKind(
    40005, "invalid_date", "The field '{field}' must be a date in the form YYYY-MM-DD."
)
INVERTED_RANGE = ErrorKind(40006, "inverted_range", "'start_date' must not be after 'end_date'.")
RANGE_TOO_LONG = ErrorKind(
    40007, "range_too_long", "The range must not be longer than {days_max} days."
)
FOREIGN_PROFILE = ErrorKind(
    40008, "foreign_profile", "'profile_id' is not the workspace of this API key."
)
EVENTS_REJECTED = ErrorKind(
    40009, "events_rejected", "{rejected} of {received} events were rejected; see 'details'."
)
KEY_IN_URL = ErrorKind(
    40010, "key_in_url", "API keys are not accepted in a URL; send the key in a header."
)

MISSING_KEY = ErrorKind(40101, "missing_key", "An API key is required, in the header '{header}'.")
INVALID_KEY = ErrorKind(40102, "invalid_key", "The API key is not valid.")
INVALID_TOKEN = ErrorKind(
    40103, "invalid_token", "A valid bearer token with the scope '{scope}' is required."
)
INVALID_LINK = ErrorKind(
    40104, "invalid_link", "The link is not valid. Ask whoever sent it for a new one."
)
EXPIRED_LINK = ErrorKind(
    40105, "expired_link", "The link has expired. Ask whoever sent it for a new one."
)
REVOKED_LINK = ErrorKind(
    40106, "revoked_link", "The link was revoked. Ask whoever sent it for a new one."
)

INVALID_SESSION = ErrorKind(40110, "invalid_session", "The sign-in has ended; sign in again.")

NO_CREDITS = ErrorKind(40201, "no_credits", "The workspace has not enough credits left.")
KEY_CAP_REACHED = ErrorKind(
    40202, "key_cap_reached", "The API key has used up its cap of credits for this period."
)

SUSPENDED = ErrorKind(40301, "suspended", "The workspace is suspended.")
WRONG_SCOPE = ErrorKind(40302, "wrong_scope", "The token does not have the scope '{scope}'.")
NO_API_ACCESS = ErrorKind(
    40303, "no_api_access", "The plan of the workspace does not include API access."
)
UNMAPPED_DENIED = ErrorKind(
    40304, "unmapped_denied", "This address is not part of the plan of the workspace."
)
LOG_TYPE_NOT_ALLOWED = ErrorKind(
    40305, "log_type_not_allowed", "The API key may not be used for this call."
)
IP_NOT_ALLOWED = ErrorKind(
    40306, "ip_not_allowed", "The API key may not be used from this IP address."
)

FOREIGN_FORM = ErrorKind(
    40310,
    "foreign_form",
    "The form is too old, or was not sent from this page; load the page again.",
)
VIEW_ONLY = ErrorKind(
    40311, "view_only", "This sign-in may look at everything, and change nothing."
)

NOT_FOUND = ErrorKind(40401, "not_found", "There is no such {what}.")
NO_ROUTE = ErrorKind(40402, "no_route", "There is nothing at this address.")

WRONG_METHOD = ErrorKind(
    40501, "wrong_method", "This address does not answer {method}; it answers {allowed}."
)

BODY_TOO_SLOW = ErrorKind(
    40801, "body_too_slow", "The body came too slowly. Please send the request again."
)

ALREADY_EXISTS = ErrorKind(40901, "already_exists", "A {what} with this {field} exists already.")
LICENCES_EXHAUSTED = ErrorKind(
    40902, "licences_exhausted", "All {licences} licences of the workspace are in use."
)
IN_FLIGHT = ErrorKind(
    40903, "in_flight", "A request with this Idempotency-Key is still being processed."
)
PATH_TIE = ErrorKind(
    40904, "path_tie", "The path template ties with that of the log type '{slug}'."
)
IN_USE = ErrorKind(40905, "in_use", "The {what} is in use: {reason}.")
KEY_ENDED = ErrorKind(40906, "key_ended", "The API key has expired or was revoked.")
RESERVATION_ENDED = ErrorKind(
    40908, "reservation_ended", "The reservation has ended in another way already."
)
RESERVATION_TAKEN = ErrorKind(
    40909, "reservation_taken", "Another request was admitted under this id."
)
WEBHOOK_DISABLED = ErrorKind(40910, "webhook_disabled", "The webhook is turned off.")
TOO_MANY = ErrorKind(40911, "too_many", "There can't be more than {most} of these.")
UNUSABLE_SETTING = ErrorKind(
    40907, "unusable_setting", "The setting '{setting}' can't be used: {reason}."
)

BODY_TOO_LARGE = ErrorKind(
    41301, "body_too_large", "The body must not be larger than {bytes_max} bytes."
)
BATCH_TOO_LARGE = ErrorKind(
    41302, "batch_too_large", "A call must not hold more than {rows_max} requests."
)

WRONG_MEDIA_TYPE = ErrorKind(41501, "wrong_media_type", "The Content-Type must be {expected}.")

UNPROCESSABLE = ErrorKind(42201, "unprocessable", "The field '{field}' must be {expected}.")
UNKNOWN_FIELD = ErrorKind(42202, "unknown_field", "The field '{field}' is not known here.")
IDEMPOTENCY_MISMATCH = ErrorKind(
    42203, "idempotency_mismatch", "This Idempotency-Key was used with another request."
)
UNKNOWN_KEY = ErrorKind(42204, "unknown_key", "The field '{field}' names no API key.")
UNKNOWN_LOG_TYPE = ErrorKind(
    42205, "unknown_log_type", "The field '{field}' names no log type: '{slug}'."
)
TIME_OUT_OF_RANGE = ErrorKind(
    42206,
    "time_out_of_range",
    "The field 'time' must be at most {days_back} days back and {minutes_ahead} minutes ahead.",
)
ROW_REFUSED = ErrorKind(
    42207, "row_refused", "The request breaks a rule of the database and was not recorded."
)
INVALID_RESERVATION = ErrorKind(
    42208, "invalid_reservation", "The field 'reservation_id' is none of ours."
)
ABOVE_HOLD = ErrorKind(
    42209, "above_hold", "The field 'credits' must be at most what was held: {held}."
)

RATE_LIMITED = ErrorKind(
    42901, "rate_limited", "Request rate limit exceeded. Please wait and try again later."
)
QUOTA_EXCEEDED = ErrorKind(
    42902, "quota_exceeded", "The limit '{limit}' is used up. Please try again later."
)

INTERNAL = ErrorKind(50001, "internal", "An unexpected error occurred on the server.")

STORE_UNAVAILABLE = ErrorKind(
    50301, "store_unavailable", "The store is not available right now. Please try again later."
)
QUEUE_FULL = ErrorKind(
    50302, "queue_full", "Too many requests are waiting to be recorded. Please try again later."
)
TOO_MANY_CONNECTIONS = ErrorKind(
    50303, "too_many_connections", "Too many connections are open. Please try again later."
)

# What may stand in a message's braces.
PARAMETERS: dict[str, str] = {
    "allowed": "the methods that the address answers",
    "bytes_max": "the largest body, in bytes",
    "days_back": "how many days back a time may lie",
    "days_max": "the longest range, in days",
    "expected": "what the value must be",
    "field": "the name of the field, as it was sent",
    "header": "the header that carries a key",
    "held": "the credits that were held",
    "licences": "how many users the workspace may have",
    "limit": "the name of the limit",
    "method": "the method that was used",
    "minutes_ahead": "how many minutes ahead a time may lie",
    "reason": "what is wrong",
    "most": "how many there can be",
    "received": "how many events came",
    "rejected": "how many of them were rejected",
    "rows_max": "the most requests in a call",
    "scope": "the scope that a token needs",
    "setting": "the name of the setting",
    "slug": "the slug of a log type",
    "what": "the kind of thing",
}

CATALOGUE: dict[int, ErrorKind] = {
    kind.code: kind for kind in list(globals().values()) if isinstance(kind, ErrorKind)
}
