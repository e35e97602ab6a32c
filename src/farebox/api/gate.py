"""The gate's endpoints: authorize, settle and void (SPEC 4)."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from farebox.api.body import decode_body, read_body
from farebox.api.call import Answer, Call, Handler
from farebox.api.context import Context
from farebox.contract.gate import (
    Admitted,
    AuthorizeRequest,
    Denied,
    DeniedStatus,
    LimitData,
    SettleAnswer,
    SettleRequest,
    VoidAnswer,
    VoidRequest,
)
from farebox.contract.texts import Language, error_message
from farebox.core.admission import LimitState
from farebox.core.credits import to_number
from farebox.core.errors import FareboxError
from farebox.core.identity import content_digest
from farebox.core.instant import to_iso_ms
from farebox.core.key import digest, is_plausible
from farebox.core.request import UNKNOWN_SLUG, UNMAPPED
from farebox.core.workspace import ApiKey
from farebox.engine.draws import CREDIT_NAMES
from farebox.engine.holds import Hold
from farebox.engine.reservation import Reservation
from farebox.service import fields
from farebox.service.admit import Attempt, Refused
from farebox.service.settle import Outcome

Told = TypeVar("Told")

_canonical = msgspec.json.Encoder()
_stamp = lru_cache(maxsize=4096)(to_iso_ms)


async def authorize(call: Call) -> Answer:
    """`POST /v1/authorize`."""
    body = decode_body(call.operation, call.request, await read_body(call.request))
    assert isinstance(body, AuthorizeRequest)
    context = call.context
    key = await known_key(context, body.key)
    decision = await context.admitter.decide(attempt_of(body, key, context), call.now_ms)
    # Units may have been waited for: what is told counts from now on.
    answer = answer_of(context, decision, context.clock.now_ms(), call.language)
    if isinstance(decision, Hold):
        context.gatekeeper.check_trust()
    return answer


async def settle(call: Call) -> Answer:
    """`POST /v1/settle`."""
    body = decode_body(call.operation, call.request, await read_body(call.request))
    assert isinstance(body, SettleRequest)
    context = call.context
    reservation = context.seal.open(body.reservation_id)
    if not _is_known(context, reservation):
        await context.follower.catch_up()
    row = context.settler.request_of(reservation, _outcome(body), _content(body))
    captures = []
    if context.capture_policy.is_on:
        capture = context.capture_policy.capture(
            row, _told(body.request_headers), _told(body.request_body), _told(body.response_body)
        )
        captures = [] if capture is None else [capture]
    settled = await context.gatekeeper.settle(reservation, row, captures)
    if settled.is_late:
        context.metrics.count("farebox_late_settlements_total")
    context.metrics.count("farebox_requests_total", outcome="accepted")
    return SettleAnswer(to_number(row.credits_micro), to_number(settled.balance_micro))


async def void(call: Call) -> Answer:
    """`POST /v1/void`."""
    body = decode_body(call.operation, call.request, await read_body(call.request))
    assert isinstance(body, VoidRequest)
    await call.context.gatekeeper.void(call.context.seal.open(body.reservation_id))
    return VoidAnswer()


async def known_key(context: Context, secret: str) -> ApiKey | None:
    """The key that was presented; one that could be new is looked for in the store.

    Raises:
        FareboxError: 503, the store can't be read.
    """
    await context.follower.ensure_fresh()
    key = context.directory.key_of_digest(digest(secret))
    if key is None and is_plausible(secret):
        await context.follower.catch_up()
        key = context.directory.key_of_digest(digest(secret))
    return key


def attempt_of(body: AuthorizeRequest, key: ApiKey | None, context: Context) -> Attempt:
    """What the gate is asked."""
    slug = body.log_type
    return Attempt(
        key,
        UNKNOWN_SLUG if slug is None else (None if slug is UNSET else slug),
        _told(body.method),
        _told(body.path),
        _told(body.channel),
        None if body.credits is UNSET else fields.credits("credits", body.credits),
        _told(body.ip),
        _told(body.id),
        context.gatekeeper.hold_ms,
    )


def answer_of(
    context: Context, decision: Hold | Refused, now_ms: int, language: Language
) -> Admitted | Denied:
    """The decision as a caller is told of it."""
    if isinstance(decision, Refused):
        return _denied(decision, now_ms, language)
    ask = decision.ask
    return Admitted(
        allowed=True,
        reservation_id=context.seal.seal(Reservation.of(decision)),
        profile_id=ask.profile_id,
        key_id=ask.key_id,
        user_id=ask.user_id,
        held_credits=to_number(ask.hold_micro),
        limits=[limit_data(state) for state in context.admitter.limits(decision, now_ms)],
    )


def _denied(refused: Refused, now_ms: int, language: Language) -> Denied:
    kind, denied_by = refused.denial
    rest_ms = None if refused.retry_at_ms is None else refused.retry_at_ms - now_ms
    return Denied(
        allowed=False,
        status=cast("DeniedStatus", kind.status),
        code=kind.code,
        message=error_message(language, FareboxError(kind, limit=denied_by)),
        denied_by=denied_by,
        retry_after=UNSET if rest_ms is None else max(1, -(-rest_ms // 1000)),
    )


def limit_data(state: LimitState) -> LimitData:
    """A limit as a caller is told of it."""
    name, limit, remaining, reset_ms = state
    reset = None if reset_ms is None else _stamp(reset_ms)
    if name in CREDIT_NAMES:
        told = None if limit is None else to_number(limit)
        return LimitData(name, told, to_number(remaining), reset)
    return LimitData(name, limit, remaining, reset)


def _is_known(context: Context, reservation: Reservation) -> bool:
    """Whether the directory has what a reservation is priced by: another process may be ahead."""
    directory = context.directory
    log_type_id = reservation.log_type_id
    is_priced = log_type_id == UNMAPPED or log_type_id in directory.log_types
    return is_priced and reservation.profile_id in directory.workspaces


def _outcome(body: SettleRequest) -> Outcome:
    return Outcome(
        _told(body.status_code),
        None if body.credits is UNSET else fields.credits("credits", body.credits),
        _told(body.method),
        _told(body.path),
        _told(body.duration_ms),
        _told(body.response_size),
        _told(body.ip),
    )


def _content(body: SettleRequest) -> bytes:
    """What tells a repeat: all that was sent but headers and bodies."""
    sent = msgspec.structs.replace(
        body, request_headers=UNSET, request_body=UNSET, response_body=UNSET
    )
    return content_digest(_canonical.encode(sent))


def _told(value: Told | UnsetType | None) -> Told | None:
    return None if value is UNSET else value


HANDLERS: dict[str, Handler] = {"authorize": authorize, "settle": settle, "void": void}
