"""Served: what passes between a WSGI app and its server while an admitted call is answered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from starlette.responses import Response

from farebox.embed.passage import CREDITS_HEADER, Copy, Done, Passage
from farebox.engine.link import unavailable

_CHARSET = "latin-1"
_CREDITS_NAME = CREDITS_HEADER.lower()

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
Headers = list[tuple[str, str]]


def give(
    response: Response, start_response: StartResponse, exc_info: ExcInfo | None = None
) -> list[bytes]:
    """Answer a call of the server with a whole response."""
    status = f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
    told = [(name.decode(_CHARSET), value.decode(_CHARSET)) for name, value in response.raw_headers]
    start_response(status, told, *([] if exc_info is None else [exc_info]))
    return [bytes(response.body)]


class Served:
    """One call of the app, and the parts of its answer.

    With `commit` each part waits for the next one, and the last for the commit; `failed` answers
    instead when there is no commit in time and nothing has left yet.
    """

    def __init__(
        self,
        passage: Passage,
        start_response: StartResponse,
        *,
        commit: Callable[[*Done], None] | None,
        failed: Callable[[Exception], Response],
        is_head: bool,
    ) -> None:
        self._passage = passage
        self._start_response = start_response
        self._commit = commit
        self._failed = failed
        self._is_head = is_head
        self._source: Iterable[bytes] = ()
        self._parts: Iterator[bytes] = iter(())
        self._held: bytes | None = None
        self._has_left = False

    def run(self, app: WSGIApplication, environ: WSGIEnvironment) -> Self:
        """Call the app; its answer is this."""
        try:
            self._source = app(environ, self._start)
            self._parts = iter(self._source)
        except BaseException as error:
            self._raised(error)
            raise
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        part = self._next() if self._commit is None else self._next_committed()
        self._has_left = True
        return part

    def close(self) -> None:
        """The server is done with the answer, however far it came."""
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        finally:
            self._passage.break_off()

    def __del__(self) -> None:
        # A server that forgets to close takes nothing with it.
        with suppress(Exception):
            self._passage.break_off()

    def _next(self) -> bytes:
        try:
            part = next(self._parts)
        except StopIteration:
            self._passage.break_off()
            raise
        except BaseException as error:
            self._raised(error)
            raise
        self._count(part)
        return part

    def _next_committed(self) -> bytes:
        while True:
            try:
                part = next(self._parts)
            except StopIteration:
                return self._last()
            except BaseException as error:
                self._raised(error)
                raise
            self._count(part)
            before, self._held = self._held, part
            if before is not None:
                return before

    def _last(self) -> bytes:
        """The last part, after the commit.

        Raises:
            FareboxError: 503, there is no commit yet, and part of the answer has left already.
            StopIteration: it was given before, or there is none.
        """
        assert self._commit is not None
        if self._passage.has_begun and not self._passage.is_ended:
            try:
                self._commit(*self._passage.done())
            except TimeoutError as error:
                self._held = None
                late = unavailable("the request could not be recorded in time")
                if self._has_left:
                    raise late from error
                (body,) = give(self._failed(late), self._start_response, sys.exc_info())
                return body
        self._passage.break_off()
        last, self._held = self._held, None
        if last is None:
            raise StopIteration
        return last

    def _start(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """The app's `start_response`: takes what is meant for the middleware, adds the limits."""
        reported = [value for name, value in headers if name.lower() == _CREDITS_NAME]
        told = [(name, value) for name, value in headers if name.lower() != _CREDITS_NAME]
        told += self._passage.begin(int(status.split(maxsplit=1)[0]), reported)
        write = self._start_response(status, told, *([] if exc_info is None else [exc_info]))

        def counted(part: bytes) -> object:
            self._count(part)
            self._has_left = True
            return write(part)

        return counted

    def _count(self, part: bytes) -> None:
        if not self._is_head:
            self._passage.sent(part)

    def _raised(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._passage.fail()
        else:
            self._passage.break_off()


class CopiedInput:
    """The body of a call as the app reads it, of which a copy is kept."""

    def __init__(self, source: InputStream, copy: Copy) -> None:
        self._source = source
        self._copy = copy

    def read(self, size: int = -1, /) -> bytes:
        """Bytes, all that are left unless told how many."""
        return self._copied(self._source.read(size))

    def readline(self, size: int = -1, /) -> bytes:
        """One line."""
        return self._copied(self._source.readline(size))

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """Lines."""
        return [self._copied(line) for line in self._source.readlines(hint)]

    def __iter__(self) -> Iterator[bytes]:
        return (self._copied(line) for line in self._source)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a server's input has
        return getattr(self._source, name)

    def _copied(self, part: bytes) -> bytes:
        self._copy.add(part)
        return part
