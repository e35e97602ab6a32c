"""A call: what is sent, attempt after attempt the same, and what its answers mean. No I/O here.

A flow is a generator that yields what is to be done, `Send` or `Pause`, and is told what came of
it: a response, a failure of the network, or None after a pause. `Client` and `AsyncClient` drive
the same flows and differ in how they send and how they wait.
"""

from __future__ import annotations

import http
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import httpx
import msgspec

from farebox.client.errors import TEMPORARY_STATUSES, ApiError, FareboxClientError, TransportError
from farebox.client.outside import Outside, fraction
from farebox.client.retry import RetryPolicy, retry_after_seconds
from farebox.core.errors import IN_FLIGHT
from farebox.core.key import STRUCK_OUT, Secret, strike_out

MESSAGE_LENGTH_MAX = 500
# What no second attempt can mend.
_FOR_GOOD = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True, repr=False)
class Call(Generic[Value_co]):
    """One call of the API.

    Attributes:
        decode: the answer's body becomes its value; `msgspec.MsgspecError` when it is no answer.
        secrets: tells what stands in the body and may not come back in a message.
    """

    method: str
    path: str
    decode: Callable[[bytes], Value_co]
    body: bytes | None = None
    idempotency_key: str | None = None
    secrets: Callable[[], Iterable[Secret]] = tuple

    def __repr__(self) -> str:
        """Without the body, which may hold a key."""
        return f"Call({self.method} {self.path})"


class Send(NamedTuple):
    """To be done: send this, and tell the response or the failure."""

    call: Call[object]
    seconds_max: float


class Pause(NamedTuple):
    """To be done: wait."""

    seconds: float


Event = httpx.Response | httpx.RequestError | None
Flow = Generator[Send | Pause, Event, Value]


class Caller(NamedTuple):
    """What all calls of a client share."""

    policy: RetryPolicy
    outside: Outside
    token: Secret


def perform(call: Call[Value], caller: Caller) -> Flow[Value]:
    """Send a call until it has an answer, or until the policy's bounds are reached.

    Raises:
        FareboxClientError: what the last attempt met.
    """
    policy, outside = caller.policy, caller.outside
    started = outside.monotonic()
    attempts = 0
    left = policy.total_seconds_max
    while True:
        attempts += 1
        event = yield Send(call, min(policy.attempt_seconds_max, left))
        assert event is not None
        if isinstance(event, httpx.Response) and event.is_success:
            return _value(call, event, attempts)
        error = _error(call, event, caller)
        error.attempts = attempts
        pause = policy.pause_seconds(attempts, error.retry_after, fraction(outside))
        left = policy.total_seconds_max - (outside.monotonic() - started) - pause
        if not error.is_temporary or attempts >= policy.attempts_max or left <= 0:
            raise error from _cause(event)
        yield Pause(pause)


def _cause(event: Event) -> Exception | None:
    """What an error is raised from: not what was wrong with a header, which it shows whole."""
    if isinstance(event, httpx.LocalProtocolError) or not isinstance(event, Exception):
        return None
    return event


def _value(call: Call[Value], response: httpx.Response, attempts: int) -> Value:
    try:
        return call.decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Its cause may hold a part of the answer.
        error = TransportError(
            f"The answer {response.status_code} to {call.method} {call.path} is none of Farebox's."
        )
        error.attempts = attempts
        raise error from None


def _error(
    call: Call[Value], event: httpx.Response | httpx.RequestError, caller: Caller
) -> FareboxClientError:
    if isinstance(event, httpx.Response):
        return _api_error(call, event, caller)
    what = type(event).__name__
    return TransportError(
        f"{call.method} {call.path} got no answer ({what}).",
        is_temporary=not isinstance(event, _FOR_GOOD),
    )


def _api_error(call: Call[Value], response: httpx.Response, caller: Caller) -> ApiError:
    status = response.status_code
    told = _told(struck(response.text, (caller.token, *call.secrets())))
    code, message, details = told.get("code"), told.get("message"), told.get("details")
    if not isinstance(message, str):
        message = told.get("error")
    if not isinstance(message, str):
        message = f"{call.method} {call.path} was answered with {status} {_phrase(status)}".strip()
    # A repeat that comes before the first attempt is through: its answer will be the first one's.
    is_in_flight = code == IN_FLIGHT.code
    return ApiError(
        status,
        code if isinstance(code, int) else None,
        message[:MESSAGE_LENGTH_MAX],
        details if isinstance(details, dict) else None,
        is_temporary=status in TEMPORARY_STATUSES or is_in_flight,
        retry_after=retry_after_seconds(response.headers, caller.outside.wall_ms()),
    )


def _told(text: str) -> dict[str, object]:
    """The object of an error's body; empty when a proxy made it."""
    try:
        return msgspec.json.decode(text.encode(errors="replace"), type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        return {}


def struck(text: str, secrets: Iterable[Secret]) -> str:
    """The text with `***` for these secrets, and for all that looks like a key or token of ours."""
    for secret in secrets:
        # As it is, and as it stands in JSON, where a quote or a backslash is escaped.
        for form in (secret.reveal(), msgspec.json.encode(secret.reveal()).decode()[1:-1]):
            text = text.replace(form, STRUCK_OUT) if form else text
    return strike_out(text)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
