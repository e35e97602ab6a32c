"""The program's own server with an empty endpoint beside the gate: to compare it with nothing.

It reads the body, as the gate must, and answers what the gate answered first, byte for byte.
"""

from __future__ import annotations

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox import app as root
from farebox import server
from farebox.__main__ import main
from farebox.api.context import Context
from farebox.app import Application, Hooks
from farebox.settings import Settings

EMPTY = b"empty"


class Compared:
    """The gate's hot path, and the empty endpoint at its side."""

    def __init__(self, hot: ASGIApp) -> None:
        self._hot = hot
        self._start: Message = {}
        self._body: Message = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["query_string"] == EMPTY:
            message = await receive()
            assert not message.get("more_body")
            await send(self._start)
            await send(self._body)
        elif self._body:
            await self._hot(scope, receive, send)
        else:
            await self._first(scope, receive, send)

    async def _first(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._start = message
            else:
                self._body = message
            await send(message)

        await self._hot(scope, receive, keep)


def make_app(context: Context, settings: Settings, hooks: Hooks) -> Application:
    """The program's application, with the gate beside the empty endpoint."""
    made = root.make_app(context, settings, hooks)
    assert made.hot is not None
    made.hot = Compared(made.hot)
    return made


if __name__ == "__main__":
    vars(server)["make_app"] = make_app
    sys.argv = ["farebox", "serve"]
    main()
