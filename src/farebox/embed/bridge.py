"""Bridge: a call of a WSGI server answered by an ASGI app on the loop thread, whole.

It carries the customer endpoints, whose bodies and answers are small: a body is read before the app
is called, and an answer is given when it is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIEnvironment

from starlette.responses import Response
from starlette.types import ASGIApp, Message

from farebox.api.body import BODY_BYTES_MAX

_CHARSET = "latin-1"
_PLAIN_NAMES = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


def path_in(environ: WSGIEnvironment) -> str:
    """The path as the app's own router sees it."""
    path: str = environ.get("PATH_INFO") or "/"
    return path.encode(_CHARSET, "replace").decode(errors="replace")


def headers_in(environ: WSGIEnvironment) -> dict[str, str]:
    """All headers, their names in lower case."""
    headers = {
        name.removeprefix("HTTP_").lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return headers | {told: environ[name] for name, told in _PLAIN_NAMES.items() if name in environ}


async def answer_of(app: ASGIApp, environ: WSGIEnvironment, root: str, body: bytes) -> Response:
    """What an ASGI app below `root` answers to a call."""
    script = environ.get("SCRIPT_NAME", "").encode(_CHARSET, "replace").decode(errors="replace")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": script + path_in(environ),
        "root_path": script + root,
        "query_string": environ.get("QUERY_STRING", "").encode(_CHARSET, "replace"),
        "headers": [
            (name.encode(_CHARSET), value.encode(_CHARSET, "replace"))
            for name, value in headers_in(environ).items()
        ],
        "client": (environ["REMOTE_ADDR"], 0) if environ.get("REMOTE_ADDR") else None,
        "server": (environ.get("SERVER_NAME", ""), int(environ.get("SERVER_PORT") or 0)),
    }
    unheard: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[Message] = []

    async def receive() -> Message:
        return unheard.pop() if unheard else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    head: dict[str, Any] = dict(told[0])
    parts = [message.get("body", b"") for message in told[1:]]
    response = Response(b"".join(parts), head["status"])
    response.raw_headers = list(head["headers"])
    return response


def body_in(environ: WSGIEnvironment) -> bytes:
    """The body of a call; of one that is too large, as much as shows that it is."""
    told = environ.get("CONTENT_LENGTH") or ""
    most = BODY_BYTES_MAX + 1
    if told.isdecimal():
        most = min(int(told), most)
    elif not environ.get("wsgi.input_terminated"):
        return b""
    read: Callable[[int], bytes] = environ["wsgi.input"].read
    return read(most)
