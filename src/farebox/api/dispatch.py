"""The dispatcher: serves operations by their declarations, the same way for all of them.

Method, credentials, own limit, body, handler, answer, metrics; whatever goes wrong on the way is
answered in the contract's shape. What it refuses: a path that no operation has (404), a method that
none of the path's has (405 with `Allow`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from farebox.api.auth import authenticate_key, authenticate_scope
from farebox.api.body import decode_body, decode_query, read_body
from farebox.api.call import Answer, Call, Handler
from farebox.api.context import Context
from farebox.api.errors import error_response, is_store_failure
from farebox.api.profile_id import check_profile_id
from farebox.api.self_record import Exchange, self_request
from farebox.contract.operation import Operation
from farebox.contract.parameters import ORIGINAL_PATH
from farebox.contract.texts import language_of
from farebox.contract.wire import ENCODER
from farebox.core.errors import NO_ROUTE, WRONG_METHOD, FareboxError
from farebox.core.instant import MS_PER_SECOND
from farebox.core.key import KEY_PREFIX, LINK_PREFIX, TOKEN_PREFIX, strike_out

# A refused call is no request, and what the store can't answer it can't record.
_NOT_RECORDED = (429, 503)
_SECRET_PREFIXES = (KEY_PREFIX.encode(), TOKEN_PREFIX.encode(), LINK_PREFIX.encode())


def routes(
    context: Context, operations: Iterable[Operation], handlers: Mapping[str, Handler]
) -> list[Route]:
    """One route for each path; `handlers` are named by operation id."""
    by_path: dict[str, dict[str, tuple[Operation, Handler]]] = {}
    for operation in operations:
        methods = by_path.setdefault(operation.path, {})
        for method in operation.methods:
            assert method not in methods, f"{method} {operation.path} is declared twice"
            methods[method] = (operation, handlers[operation.operation_id])
    return [Route(_pattern(path), _Path(context, methods)) for path, methods in by_path.items()]


def _pattern(path: str) -> str:
    """The router's form of a path."""
    return path.replace(f"{{{ORIGINAL_PATH}}}", f"{{{ORIGINAL_PATH}:path}}")


def no_route(context: Context, request: Request) -> Response:
    """The answer where no operation is."""
    language = language_of(request.headers.get("accept-language"))
    return error_response(FareboxError(NO_ROUTE), "general", language, context.entropy)


class _Path:
    """All operations of one path, as an ASGI app."""

    def __init__(self, context: Context, methods: dict[str, tuple[Operation, Handler]]) -> None:
        self._context = context
        self._methods = methods
        self._allowed = sorted(methods.keys() | ({"HEAD"} if "GET" in methods else set()))
        self._first = next(iter(methods.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        operation, handler = self._methods.get(method, self._first)
        call = Call(
            context=self._context,
            operation=operation,
            request=request,
            language=language_of(request.headers.get("accept-language")),
            now_ms=self._context.clock.now_ms(),
        )
        try:
            if method not in self._methods:
                self._refuse_method(request.method)
            response = _response(operation, await _answer(call, handler))
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            response = error_response(
                error, operation.error_family, call.language, self._context.entropy
            )
            if method not in self._methods:
                response.headers["Allow"] = ", ".join(self._allowed)
        size_bytes = len(response.body)
        if request.method == "HEAD":
            response.body = b""  # its headers stay those of the whole answer
        await response(scope, receive, send)
        self._note(call, response, size_bytes, time.perf_counter() - began)

    def _refuse_method(self, method: str) -> None:
        raise FareboxError(WRONG_METHOD, method=method, allowed=", ".join(self._allowed))

    def _note(self, call: Call, response: Response, size_bytes: int, seconds: float) -> None:
        """Count the call, and record it if it is a request."""
        metrics, request, status = self._context.metrics, call.request, response.status_code
        route = call.operation.path
        # A method that nothing answers is anyone's invention, and no label.
        method = request.method if request.method in self._allowed else "other"
        metrics.count("farebox_http_requests_total", route=route, method=method, status=str(status))
        metrics.observe("farebox_http_request_seconds", seconds, route=route)
        if is_store_failure(response):
            metrics.count("farebox_store_failures_total")
        if call.known_caller is not None and status not in _NOT_RECORDED:
            self._context.self_recorder.record(
                self_request(
                    call.known_caller,
                    Exchange(
                        call.now_ms,
                        int(seconds * MS_PER_SECOND),
                        request.method,
                        request.scope["path"],
                        status,
                        size_bytes,
                        request.client.host if request.client else None,
                    ),
                    self._context.entropy,
                )
            )


async def _answer(call: Call, handler: Handler) -> Answer:
    context, operation, request = call.context, call.operation, call.request
    match operation.security:
        case "key":
            call.known_caller = await authenticate_key(context, request)
            await context.own_limit.take(call.caller.profile_id, call.now_ms)
        case "meter" | "admin":
            call.known_token = await authenticate_scope(context, request, operation.security)
        case "forwarded" | "none":
            pass
    call.decoded_query = decode_query(operation, request)
    # The metering API has bodies of several forms and reads them itself.
    if operation.request is not None and operation.audience != "metering":
        call.decoded_body = decode_body(operation, request, await read_body(request))
    if call.known_caller is not None:
        check_profile_id(call)
    answer = await handler(call)
    # A process sees its own writes in the next call.
    await context.follower.reach(context.link.change_id)
    return answer


def _response(operation: Operation, answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    headers = {} if operation.security == "none" else {"Cache-Control": "no-store"}
    if answer is None:
        return Response(None, operation.success_status, headers)
    body = ENCODER.encode(answer) if isinstance(answer, msgspec.Struct) else answer
    if operation.audience == "customer" and any(prefix in body for prefix in _SECRET_PREFIXES):
        # A filter is told back as it was sent, but for a key that was mistaken for one.
        body = strike_out(body.decode()).encode()
    return Response(body, operation.success_status, headers, operation.response_media_type)
