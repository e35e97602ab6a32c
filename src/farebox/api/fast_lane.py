"""The fast lane: `/v1/authorize` as a plain ASGI callable, beside the routes and before them.

It serves the usual call and nothing else. What is unusual in any way (a query, an unknown token or
key, a body that isn't right, a directory that isn't young enough) is handed on as it came, body
and all, to the route of the same operation, which knows every error.
"""

from __future__ import annotations

import time

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox.api.context import Context
from farebox.api.gate import answer_of, attempt_of
from farebox.contract.gate import AUTHORIZE, AuthorizeRequest
from farebox.contract.texts import language_of
from farebox.contract.wire import ENCODER
from farebox.core.errors import FareboxError
from farebox.core.key import digest

PATH = AUTHORIZE.path
BODY_BYTES_MAX = 64 * 1024
_BEARER = b"bearer "
_decoder = msgspec.json.Decoder(AuthorizeRequest)


class FastLane:
    """Of one process; `routes` serve whatever isn't usual."""

    def __init__(self, context: Context, routes: ASGIApp) -> None:
        self._context = context
        self._routes = routes
        self._answers = context.metrics.counter(
            "farebox_http_requests_total", route=PATH, method="POST", status="200"
        )
        self._seconds = context.metrics.histogram("farebox_http_request_seconds", route=PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a usual call; hand on any other."""
        began = time.perf_counter()
        language = self._language(scope)
        if language is None:
            await self._routes(scope, receive, send)
            return
        message = await receive()
        body = message.get("body", b"")
        if message["type"] != "http.request" or message.get("more_body"):
            await self._routes(scope, _Again(message, receive), send)
            return
        answer = await self._answer(body, language)
        if answer is None:
            await self._routes(scope, _Again(message, receive), send)
            return
        headers = [
            (b"cache-control", b"no-store"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        self._answers.inc()
        self._seconds.observe(time.perf_counter() - began)

    def _language(self, scope: Scope) -> str | None:
        """The value of Accept-Language of a call that may go on here; None for any other."""
        if scope["method"] != "POST" or scope["query_string"]:
            return None
        authorization = language = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"accept-language":
                language = value
            elif name == b"content-type" and not value.startswith(b"application/json"):
                return None
        if authorization[:7].lower() != _BEARER or not self._context.follower.is_fresh():
            return None
        secret = authorization[7:].decode("latin-1").strip()
        token = self._context.directory.token_of_digest(digest(secret))
        return None if token is None else language.decode("latin-1")

    async def _answer(self, body: bytes, language: str) -> bytes | None:
        context = self._context
        if len(body) > BODY_BYTES_MAX:
            return None
        try:
            asked = _decoder.decode(body)
            key = context.directory.key_of_digest(digest(asked.key))
            if key is None:
                return None
            now_ms = context.clock.now_ms()
            attempt = attempt_of(asked, key, context)
            decision = context.admitter.decide_now(attempt, now_ms)
            if decision is None:
                decision = await context.admitter.decide(attempt, now_ms)
            context.gatekeeper.wake()
        except (msgspec.MsgspecError, FareboxError, UnicodeError):
            return None  # the route tells what is wrong
        return ENCODER.encode(answer_of(context, decision, now_ms, language_of(language)))


class _Again:
    """A receive channel that gives a message that was taken from it once more."""

    def __init__(self, message: Message, receive: Receive) -> None:
        self._message: Message | None = message
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._receive() if message is None else message
