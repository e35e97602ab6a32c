"""The middleware for WSGI: Flask, Django and the like.

    app.wsgi_app = FareboxMiddleware(app.wsgi_app, mount="/farebox", exclude=["/health"])

Each request under its care is admitted in the thread that serves it, from memory, before the app
sees it, and settled when the server is done with the answer. One event loop on a thread of its own
runs the parts; a call goes there only when units must be drawn or a key is new. While the store is
away nothing is let through: 503, never a free request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Unpack
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from starlette.responses import Response

from farebox.api.context import Context
from farebox.api.errors import error_response, is_store_failure
from farebox.api.forwarded import plain_path
from farebox.api.refused import refused_response
from farebox.contract.texts import Language, language_of
from farebox.core.key import digest
from farebox.embed.asgi import EVERYWHERE
from farebox.embed.bridge import answer_of, body_in, headers_in, path_in
from farebox.embed.life import Life, Parts
from farebox.embed.loop_thread import LoopThread
from farebox.embed.options import Given, read_care, read_embedded
from farebox.embed.passage import COMMIT_SECONDS_MAX, SCOPE_KEY, Done, Ends, Passage
from farebox.embed.served import CopiedInput, Served, give
from farebox.embed.visit import Visit, client_address, decide, presented
from farebox.engine.entropy import SystemEntropy
from farebox.engine.holds import Hold
from farebox.service.admit import Refused


class FareboxMiddleware:
    """Meters, limits and prices a WSGI app.

    Args:
        app: the app, or whatever stands before it.
        mount: the path under which customers read their usage, such as `/farebox`; None for none.
        paths: what is looked after; everything unless told.
        exclude: of that what is not: health checks, documentation.
        settings: as `farebox serve` has them, by the same names: `database="sqlite:///a.db"`.

    Raises:
        SettingsError: an argument or a setting of the environment is wrong.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        mount: str | None = None,
        paths: Sequence[str] = EVERYWHERE,
        exclude: Sequence[str] = (),
        **settings: Unpack[Given],
    ) -> None:
        self._app = app
        self._care = read_care(mount, paths, exclude)
        read = read_embedded(settings)
        self._is_waiting = read.middleware_wait
        self._entropy = SystemEntropy()
        self._thread = LoopThread(Life(read))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one call."""
        path = path_in(environ)
        if self._care.is_mounted(path):
            return self._serve_customer(environ, start_response)
        if self._care.is_priced(path):
            return self._sell(path, environ, start_response)
        return self._app(environ, start_response)

    def stop(self) -> None:
        """Record what waits and stop the parts; they start again at the next call.

        Calls that are being answered are waited for, a few seconds at most.
        """
        self._thread.stop()

    def _sell(
        self, path: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Admit a call, have it answered, and settle it; or refuse it."""
        # From here to its end, which comes by `ends` where it is admitted.
        self._thread.enter()
        language = language_of(environ.get("HTTP_ACCEPT_LANGUAGE"))
        parts: Parts | None = None
        try:
            parts = self._thread.parts()
            context = parts.context
            visit = _visit(path, environ, context.key_headers)
            decision = self._decide(context, visit)
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            self._thread.leave()
            return give(self._fail(error, language, parts), start_response)
        if not isinstance(decision, Hold):
            self._thread.leave()
            now_ms = context.clock.now_ms()
            response = refused_response(context, decision, language, now_ms)
            return give(response, start_response)
        kept = headers_in(environ) if context.capture_policy.is_on else {}
        ends = Ends(partial(self._put, context), partial(self._void, context))
        passage = Passage(context, decision, visit, kept, ends)
        environ[SCOPE_KEY] = passage.passed
        if passage.request_copy is not None:
            environ["wsgi.input"] = CopiedInput(environ["wsgi.input"], passage.request_copy)
        served = Served(
            passage,
            start_response,
            commit=partial(self._commit, context) if self._is_waiting else None,
            failed=lambda error: self._fail(error, language, parts),
            is_head=visit.method == "HEAD",
        )
        return served.run(self._app, environ)

    def _decide(self, context: Context, visit: Visit) -> Hold | Refused:
        """The decision: in this thread, or on the loop when more must be known first."""
        context.record_queue.check_room()
        if context.follower.is_fresh():
            key = context.directory.key_of_digest(digest(visit.secret))
            if key is not None:
                now_ms = context.clock.now_ms()
                decision = context.admitter.decide_now(visit.attempt(key), now_ms)
                if decision is not None:
                    return decision
        return self._thread.run(decide(context, visit))

    def _commit(self, context: Context, *done: *Done) -> None:
        """Have a request recorded, and wait for its commit.

        Raises:
            TimeoutError: there is none in time; the request is recorded all the same.
        """
        try:
            self._thread.run(
                asyncio.wait_for(context.record_queue.put_and_wait(*done), COMMIT_SECONDS_MAX)
            )
        finally:
            self._thread.leave()

    def _put(self, context: Context, *done: *Done) -> None:
        """Have a request recorded soon."""
        self._thread.soon(context.record_queue.put, *done)
        self._thread.leave()

    def _void(self, context: Context, hold: Hold) -> None:
        """Take back a call that was never answered."""
        context.gatekeeper.void_now(hold)
        self._thread.leave()

    def _serve_customer(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            parts = self._thread.parts()
            asked = answer_of(parts.customers, environ, self._care.mount or "", body_in(environ))
            answer = self._thread.run(asked)
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            language = language_of(environ.get("HTTP_ACCEPT_LANGUAGE"))
            return give(self._fail(error, language, None), start_response)
        return give(answer, start_response)

    def _fail(self, error: Exception, language: Language, parts: Parts | None) -> Response:
        response = error_response(error, "general", language, self._entropy)
        if parts is not None and is_store_failure(response):
            parts.context.metrics.count("farebox_store_failures_total")
        return response


def _visit(path: str, environ: WSGIEnvironment, key_headers: tuple[str, ...]) -> Visit:
    """Who comes with what.

    Raises:
        FareboxError: 400, or 401 without a key.
    """

    def header(name: str) -> str:
        value: str = environ.get("HTTP_" + name.upper().replace("-", "_"), "")
        return value

    name, secret = presented(header, environ.get("QUERY_STRING", ""), key_headers)
    return Visit(
        environ["REQUEST_METHOD"],
        plain_path(path),
        client_address(environ.get("REMOTE_ADDR") or ""),
        name,
        secret,
    )
