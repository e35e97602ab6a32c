"""The fast lane: `/v1/authorize` as a plain ASGI callable, beside the routes and before them.

It serves the usual call and nothing else. What is unusual in any way (a query, an unknown token or
key, a body that isn't right, a directory that isn't young enough) is handed on as it
came, body and all, to the route of the same operation, which knows every error; an answer from here
is, byte for byte, the route's. What was looked up is remembered until the directory changes.
"""

from __future__ import annotations

import time

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox.api.context import Context
from farebox.api.errors import error_response
from farebox.api.gate import answer_of, attempt_of, limit_data
from farebox.contract.gate import AUTHORIZE, AuthorizeRequest
from farebox.contract.texts import Language, language_of
from farebox.contract.wire import ENCODER
from farebox.core.credits import to_number
from farebox.core.errors import STORE_UNAVAILABLE, FareboxError
from farebox.core.key import digest
from farebox.core.workspace import ApiKey
from farebox.engine.holds import Hold
from farebox.engine.reservation import Reservation
from farebox.engine.stocks import Stock, Wallet
from farebox.service.admit import Attempt, Refused

PATH = AUTHORIZE.path
BODY_BYTES_MAX = 64 * 1024
REMEMBERED_MAX = 10_000
REMEMBERED_BYTES_MAX = 1_024
_BEARER = b"bearer "
_PLACE = 7_777_777_777_777_777
_HEADERS = ((b"cache-control", b"no-store"), (b"content-type", b"application/json"))
_decoder = msgspec.json.Decoder(AuthorizeRequest)


class FastLane:
    """Of one process; `routes` serve whatever isn't usual."""

    def __init__(self, context: Context, routes: ASGIApp) -> None:
        self._context = context
        self._routes = routes
        self._answers = context.metrics.counter(
            "farebox_http_requests_total", route=PATH, method="POST", status="200"
        )
        self._seconds = context.metrics.latency("farebox_http_request_seconds", route=PATH)
        self._change_id = -1
        # By the header, the secret and the body as they came; of those that were right.
        self._tokens: set[bytes] = set()
        self._keys: dict[str, ApiKey] = {}
        self._attempts: dict[bytes, Attempt] = {}
        self._templates: dict[int, tuple[tuple[Stock, ...], str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a usual call; hand on any other."""
        began = time.perf_counter()
        if not self._is_usual(scope):
            await self._routes(scope, receive, send)
            return
        try:
            message = await receive()
            if message.get("more_body"):
                message = await _rest(message, receive)
        except FareboxError:  # it came too slowly, as the route will be told, too
            await self._routes(scope, receive, send)
            return
        answer = None
        if message["type"] == "http.request":
            try:
                answer = await self._answer(message["body"], scope)
            except FareboxError as error:
                told = error_response(error, "general", _language(scope), self._context.entropy)
                await told(scope, receive, send)
                return
        if answer is None:
            await self._routes(scope, _Again(message, receive), send)
            return
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        self._answers.inc()
        self._seconds.observe(time.perf_counter() - began)

    def _is_usual(self, scope: Scope) -> bool:
        """Whether the head is one of a call from a caller that is known."""
        if scope["method"] != "POST" or scope["query_string"]:
            return False
        context = self._context
        if not context.follower.is_fresh():
            return False
        if context.directory.change_id != self._change_id:
            self._forget(context.directory.change_id)
        authorization = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type" and not value.startswith(b"application/json"):
                return False
        return authorization in self._tokens or self._is_token(authorization)

    def _is_token(self, authorization: bytes) -> bool:
        if authorization[:7].lower() != _BEARER:
            return False
        secret = authorization[7:].decode("latin-1").strip()
        if self._context.directory.token_of_digest(digest(secret)) is None:
            return False
        if len(self._tokens) < REMEMBERED_MAX:
            self._tokens.add(authorization)
        return True

    def _attempt(self, body: bytes) -> Attempt | None:
        """What a body asks; one without an id of its own asks the same whenever it comes again."""
        asked = _decoder.decode(body)
        key = self._keys.get(asked.key)
        if key is None:
            key = self._context.directory.key_of_digest(digest(asked.key))
            if key is None:
                return None
            if len(self._keys) < REMEMBERED_MAX:
                self._keys[asked.key] = key
        attempt = attempt_of(asked, key, self._context)
        is_short = len(body) <= REMEMBERED_BYTES_MAX
        if attempt.request_id is None and is_short and len(self._attempts) < REMEMBERED_MAX:
            self._attempts[body] = attempt
        return attempt

    def _forget(self, change_id: int) -> None:
        self._tokens.clear()
        self._keys.clear()
        self._attempts.clear()
        self._change_id = change_id

    async def _answer(self, body: bytes, scope: Scope) -> bytes | None:
        context = self._context
        # There may be more of it; or it came late, and much may have changed meanwhile.
        if len(body) > BODY_BYTES_MAX or not context.follower.is_fresh():
            return None
        try:
            attempt = self._attempts.get(body) or self._attempt(body)
            if attempt is None:
                return None
            now_ms = context.clock.now_ms()
            decision = context.admitter.decide_now(attempt, now_ms)
            if decision is None:
                decision = await context.admitter.decide(attempt, now_ms)
                now_ms = context.clock.now_ms()
        except FareboxError as error:
            if error.kind is STORE_UNAVAILABLE:
                raise  # the route would wait as long again
            return None
        except (msgspec.MsgspecError, UnicodeError):
            return None  # the route tells what is wrong
        context.gatekeeper.wake()
        if isinstance(decision, Refused):
            return ENCODER.encode(answer_of(context, decision, now_ms, _language(scope)))
        if decision.wallet is not None and decision.cap is None:
            answer = self._admitted(decision, decision.wallet)
        else:
            answer = ENCODER.encode(answer_of(context, decision, now_ms, _language(scope)))
        context.gatekeeper.check_trust()
        return answer

    def _admitted(self, hold: Hold, wallet: Wallet) -> bytes:
        """What the route would answer, put together from parts that hardly ever change."""
        ask = hold.ask
        remaining = [stock.left + stock.free for stock in hold.stocks]
        windows = self._windows(hold.stocks) % tuple(remaining)
        return (
            f'{{"allowed":true,"reservation_id":"{self._context.seal.seal(Reservation.of(hold))}",'
            f'"profile_id":{ask.profile_id},"key_id":"{ask.key_id}","user_id":"{ask.user_id}",'
            f'"held_credits":{to_number(ask.hold_micro)},"limits":[{windows}'
            f'{{"name":"credits","limit":null,"remaining":{to_number(wallet.left + wallet.free)},'
            '"reset":null}]}'
        ).encode()

    def _windows(self, stocks: tuple[Stock, ...]) -> str:
        """The limits of some windows, with a place for what remains of each."""
        kept = self._templates.get(id(stocks))
        if kept is None:
            if len(self._templates) >= REMEMBERED_MAX:
                self._templates.clear()
            limits = [limit_data(stock.state._replace(remaining=_PLACE)) for stock in stocks]
            texts = [ENCODER.encode(limit).decode().replace(str(_PLACE), "%d") for limit in limits]
            # With the stocks themselves: what has their id then is no other tuple.
            kept = self._templates[id(stocks)] = (stocks, "".join(f"{text}," for text in texts))
        return kept[1]


class _Again:
    """A receive channel that gives a message that was taken from it once more."""

    def __init__(self, message: Message, receive: Receive) -> None:
        self._message: Message | None = message
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._receive() if message is None else message


async def _rest(message: Message, receive: Receive) -> Message:
    """The whole body in one message, as far as it is within bounds here."""
    body = message["body"]
    while message.get("more_body") and len(body) <= BODY_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
    return {**message, "body": body}


def _language(scope: Scope) -> Language:
    for name, value in scope["headers"]:
        if name == b"accept-language":
            return language_of(value.decode("latin-1"))
    return language_of(None)
