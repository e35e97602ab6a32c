"""A WSGI app behind the middleware, and a server's side of it that a test holds in its hands."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import msgspec

from farebox.api.context import Context
from farebox.embed.wsgi import FareboxMiddleware
from tests.embed.market import SEARCH, Buyer, Market, Row


class Api:
    """Counts its calls and answers as it is told to."""

    def __init__(self) -> None:
        self.calls: list[WSGIEnvironment] = []
        self.status = "200 OK"
        self.headers: list[tuple[str, str]] = []
        self.parts: Iterable[bytes] = [b"12345"]
        self.answer: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = self.plainly

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.calls.append(environ)
        return self.answer(environ, start_response)

    def plainly(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read a body, answer."""
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(self.status, self.headers)
        return self.parts


class Answer:
    """The server's side of one call."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.written: list[bytes] = []
        self.body = b""

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: object = None,
        /,
    ) -> Callable[[bytes], object]:
        """What a server gives an app."""
        assert not self.status or exc_info is not None
        self.status = int(status.split(maxsplit=1)[0])
        self.headers = {name.lower(): value for name, value in headers}
        return self.written.append

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body."""
        return msgspec.json.decode(self.body)


class Behind:
    """A middleware with an app, called as a server calls it."""

    def __init__(self, market: Market, api: Api, **options: Any) -> None:  # noqa: ANN401
        self.market = market
        self.middleware = FareboxMiddleware(api, **{"database": market.url, **options})

    @property
    def context(self) -> Context:
        """The parts that it runs."""
        return self.middleware._thread.parts().context

    def begin(
        self, answer: Answer, buyer: Buyer | None, path: str = SEARCH, **more: str
    ) -> Iterable[bytes]:
        """The iterable that a call gives."""
        body = more.pop("body", "").encode()
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "REMOTE_ADDR": "198.51.100.7",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **({} if buyer is None else {"HTTP_X_API_KEY": buyer.key}),
            **more,
        }
        setup_testing_defaults(environ)
        return self.middleware(environ, answer.start)

    def call(self, buyer: Buyer | None, path: str = SEARCH, **more: str) -> Answer:
        """A whole call, from a server that does as it should."""
        answer = Answer()
        parts = self.begin(answer, buyer, path, **more)
        answer.body = b"".join(parts)
        close(parts)
        return answer

    def rows(self, buyer: Buyer, count: int) -> list[Row]:
        """What was recorded of a buyer, once all is that was done."""
        thread, context = self.middleware._thread, self.context
        thread.run(context.record_queue.flush())
        thread.run(context.self_recorder.flush())
        thread.run(context.refusal_log.flush())
        rows = self.market.rows(buyer)
        assert len(rows) == count, rows
        return rows


def close(parts: Iterable[bytes]) -> None:
    """As a server does when it is done with an answer."""
    end = getattr(parts, "close", None)
    if end is not None:
        end()


@contextmanager
def behind(market: Market, api: Api, **options: Any) -> Iterator[Behind]:  # noqa: ANN401
    made = Behind(market, api, **options)
    try:
        yield made
    finally:
        made.middleware.stop()
