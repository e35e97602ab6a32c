"""The middleware for ASGI: FastAPI, Starlette, Litestar and the like.

    app.add_middleware(FareboxMiddleware, mount="/farebox", exclude=["/health"])

Each HTTP request under its care is admitted from memory, on the event loop, before the app sees it,
and settled by what the app answers. Neither takes a thread or a look into the database. WebSockets
are not looked after. While the store is away nothing is let through: 503, never a free request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Unpack

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from farebox.api.context import Context
from farebox.api.errors import error_response, is_store_failure
from farebox.api.forwarded import plain_path
from farebox.api.refused import refused_response
from farebox.contract.texts import Language, language_of
from farebox.embed.exchange import Exchange
from farebox.embed.life import Life, Parts
from farebox.embed.lifespan import live
from farebox.embed.options import Given, read_care, read_embedded
from farebox.embed.passage import SCOPE_KEY, Ends, Passage
from farebox.embed.visit import Visit, client_address, decide, presented
from farebox.engine.entropy import SystemEntropy
from farebox.engine.holds import Hold

EVERYWHERE = ("/*",)
_CHARSET = "latin-1"


class _Life(Protocol):
    async def parts(self) -> Parts:
        """The parts, started if need be."""


class _Lent:
    """Parts that somebody else starts and stops."""

    def __init__(self, context: Context) -> None:
        self._parts = Parts(context)

    async def parts(self) -> Parts:
        return self._parts


class FareboxMiddleware:
    """Meters, limits and prices an ASGI app.

    Args:
        app: the app, or whatever stands before it.
        mount: the path under which customers read their usage, such as `/farebox`; None for none.
        paths: what is looked after; everything unless told.
        exclude: of that what is not: health checks, documentation.
        context: the parts of a server in this process, which lends them; else there are own ones.
            Of the settings only `middleware_wait` counts then.
        settings: as `farebox serve` has them, by the same names: `database="sqlite:///a.db"`.

    Raises:
        SettingsError: an argument or a setting of the environment is wrong.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        mount: str | None = None,
        paths: Sequence[str] = EVERYWHERE,
        exclude: Sequence[str] = (),
        context: Context | None = None,
        **settings: Unpack[Given],
    ) -> None:
        self._app = app
        self._care = read_care(mount, paths, exclude)
        self._entropy = SystemEntropy()
        read = read_embedded(settings)
        self._is_waiting = read.middleware_wait
        self._own_life: Life | None = None
        self._life: _Life
        if context is None:
            self._life = self._own_life = Life(read)
        else:
            self._life = _Lent(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        kind = scope["type"]
        if kind == "http":
            path = _path_in(scope)
            if self._care.is_mounted(path):
                await self._serve_customer(scope, receive, send)
                return
            if self._care.is_priced(path):
                await self._sell(path, scope, receive, send)
                return
        elif kind == "lifespan" and self._own_life is not None:
            await live(self._own_life, self._app, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _sell(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a request, have it answered, and settle it; or refuse it."""
        head = _Head.of(scope)
        parts: Parts | None = None
        try:
            parts = await self._life.parts()
            context = parts.context
            header, secret = presented(
                head.value, scope["query_string"].decode(_CHARSET), context.key_headers
            )
            client = scope.get("client")
            visit = Visit(
                scope["method"],
                plain_path(path),
                client_address(client[0]) if client else None,
                header,
                secret,
            )
            decision = await decide(context, visit)
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            await self._fail(error, head.language, parts)(scope, receive, send)
            return
        if not isinstance(decision, Hold):
            now_ms = context.clock.now_ms()
            response = refused_response(context, decision, head.language, now_ms)
            await response(scope, receive, send)
            return
        kept = head.told() if context.capture_policy.is_on else {}
        ends = Ends(context.record_queue.put, context.gatekeeper.void_now)
        passage = Passage(context, decision, visit, kept, ends)
        scope[SCOPE_KEY] = passage.passed
        exchange = Exchange(
            passage,
            receive,
            send,
            committed=context.record_queue.put_and_wait if self._is_waiting else None,
            failed=lambda error: self._fail(error, head.language, parts),
            is_head=visit.method == "HEAD",
        )
        await exchange.run(self._app, scope)

    async def _serve_customer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            parts = await self._life.parts()
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            await self._fail(error, _Head.of(scope).language, None)(scope, receive, send)
            return
        root = scope.get("root_path", "") + (self._care.mount or "")
        await parts.customers({**scope, "root_path": root}, receive, send)

    def _fail(self, error: Exception, language: Language, parts: Parts | None) -> Response:
        response = error_response(error, "general", language, self._entropy)
        if parts is not None and is_store_failure(response):
            parts.context.metrics.count("farebox_store_failures_total")
        return response


class _Head(NamedTuple):
    """The headers of a request; of several with one name, the first."""

    first: dict[bytes, bytes]

    @classmethod
    def of(cls, scope: Scope) -> _Head:
        return cls(dict(reversed(tuple(scope["headers"]))))

    def value(self, name: str) -> str:
        return self.first.get(name.encode(_CHARSET), b"").decode(_CHARSET)

    def told(self) -> dict[str, str]:
        return {name.decode(_CHARSET): v.decode(_CHARSET) for name, v in self.first.items()}

    @property
    def language(self) -> Language:
        return language_of(self.value("accept-language"))


def _path_in(scope: Scope) -> str:
    """The path as the app's own router sees it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) :][:1] in {"", "/"}:
        return path[len(root) :] or "/"
    return path
