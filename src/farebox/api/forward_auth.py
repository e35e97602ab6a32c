"""Forward authentication: a gateway's question is answered by HTTP, and what passes is recorded.

No settlement follows, so a request is recorded at its price at once. Every 200 names workspace,
key, user and log entry: a gateway that copies these headers replaces what a caller sent under their
names. A question that a gateway repeats under the same id is the same request, and is counted once.
"""

from __future__ import annotations

import asyncio
import json

from starlette.responses import Response

from farebox.api.auth import presented_key
from farebox.api.call import Answer, Call, Handler
from farebox.api.errors import error_response, is_store_failure
from farebox.api.forwarded import Read, from_forwarded_headers, from_nginx, from_path
from farebox.api.gate import known_key
from farebox.api.refused import refused_error, refused_response
from farebox.contract.errors import GeneralError
from farebox.contract.forward_auth import (
    FORWARD_AUTH,
    FORWARD_AUTH_NGINX,
    FORWARD_AUTH_PATH,
    KEY_ID,
    PROFILE_ID,
    QUERY_LOG_ID,
    TRUE_BODY,
    TRUE_STATUS,
    USER_ID,
)
from farebox.contract.rate_headers import rate_headers
from farebox.contract.texts import error_message
from farebox.contract.wire import ENCODER
from farebox.core.errors import FareboxError
from farebox.core.identity import RANDOM_BYTES, content_digest, format_uuid, query_log_id
from farebox.core.key import strike_out
from farebox.core.request import MeteredRequest
from farebox.engine.holds import Hold
from farebox.engine.link import unavailable
from farebox.service.admit import Attempt, Refused
from farebox.service.authenticate import authenticate
from farebox.service.failure import as_farebox_error
from farebox.service.settle import Outcome

# Less than a gateway waits: after that it asks again, under the same id or as a new request.
COMMIT_SECONDS_MAX = 5.0
_UNAUTHENTICATED, _FORBIDDEN = 401, 403


def _asked_by(read: Read) -> Handler:
    async def handle(call: Call) -> Answer:
        passed = await _decided(call, read)
        return passed if isinstance(passed, Response) else _refusal(call, passed)

    return handle


async def _asked_by_nginx(call: Call) -> Answer:
    """As the others, with every refusal in the form that nginx understands."""
    try:
        passed = await _decided(call, from_nginx)
        if isinstance(passed, Response):
            return passed
        now_ms = call.context.clock.now_ms()
        error, response = refused_error(passed, now_ms), _refusal(call, passed)
    except Exception as exception:  # noqa: BLE001 - nginx must get every failure as a refusal
        error = as_farebox_error(exception)
        response = error_response(exception, "general", call.language, call.context.entropy)
        if is_store_failure(response):
            call.context.metrics.count("farebox_store_failures_total")
    body = GeneralError(error.kind.code, error_message(call.language, error), error.details)
    headers = {**response.headers, TRUE_STATUS: str(response.status_code)}
    del headers["content-length"]
    # What a variable of nginx takes: one line of ASCII.
    headers[TRUE_BODY] = json.dumps(json.loads(bytes(response.body)), separators=(",", ":"))
    status = _UNAUTHENTICATED if response.status_code == _UNAUTHENTICATED else _FORBIDDEN
    return Response(strike_out(ENCODER.encode(body).decode()), status, headers)


async def _decided(call: Call, read: Read) -> Response | Refused:
    """The answer to what passes, which is recorded; or the refusal.

    Raises:
        FareboxError: 401 without a key, 400, or 503.
    """
    context = call.context
    context.record_queue.check_room()
    header, secret = presented_key(call.request, context.key_headers)
    key = await known_key(context, secret)
    try:
        asked = read(call.request)
    except FareboxError:
        # Who may not call isn't told what was wrong with the call.
        authenticate(context.directory, secret, header, call.now_ms)
        raise
    attempt = Attempt(
        key,
        None,
        asked.method,
        asked.path,
        ip=asked.ip,
        request_id=asked.request_id,
        # A repeat is known by its hold, which is kept until its time.
        expires_after_ms=None if asked.request_id is None else context.gatekeeper.hold_ms,
    )
    decision = await context.admitter.decide(attempt, call.now_ms)
    if isinstance(decision, Refused):
        return decision
    row = context.settler.request_of_hold(
        decision,
        Outcome(method=asked.method, path=asked.path, ip=asked.ip, authentication_type=header),
    )
    if asked.request_id is not None:
        row = row._replace(query_log_id=_repeatable_id(row))
    if context.is_forward_auth_waiting:
        try:
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await context.record_queue.put_and_wait(decision, row)
        except TimeoutError as error:
            message = "an admitted request waits to be recorded"
            raise unavailable(message) from error
    else:
        context.record_queue.put(decision, row)
    return _passed(call, decision, row)


def _repeatable_id(row: MeteredRequest) -> bytes:
    """The log entry's id of a request whose id the gateway chose: the same for a repeat."""
    chosen = content_digest(row.profile_id.to_bytes(8, "big") + row.identity)
    return query_log_id(row.time_ms, chosen[:RANDOM_BYTES])


def _passed(call: Call, hold: Hold, row: MeteredRequest) -> Response:
    ask, context = hold.ask, call.context
    # Units may have been waited for: what is told counts from now on.
    now_ms = context.clock.now_ms()
    limits = context.admitter.limits(hold, now_ms)
    headers = rate_headers(limits, now_ms, is_legacy=context.is_legacy_rate_headers)
    headers += [
        (PROFILE_ID, str(ask.profile_id)),
        (KEY_ID, ask.key_id),
        (USER_ID, ask.user_id),
        (QUERY_LOG_ID, format_uuid(row.query_log_id)),
        ("Cache-Control", "no-store"),
    ]
    return Response(b"", headers=dict(headers), media_type=call.operation.response_media_type)


def _refusal(call: Call, refused: Refused) -> Response:
    now_ms = call.context.clock.now_ms()
    return refused_response(call.context, refused, call.language, now_ms)


HANDLERS: dict[str, Handler] = {
    FORWARD_AUTH.operation_id: _asked_by(from_forwarded_headers),
    FORWARD_AUTH_PATH.operation_id: _asked_by(from_path),
    FORWARD_AUTH_NGINX.operation_id: _asked_by_nginx,
}
