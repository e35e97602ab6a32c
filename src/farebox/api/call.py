"""A call: one HTTP request on its way to a handler, with all that was found out about it.

A handler is one function for one operation. It gets a call whose caller is known and whose body is
decoded, and gives a struct (encoded as JSON), the bytes of a JSON text, a whole response, or None
for an answer without a body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from farebox.api.context import Context
from farebox.contract.operation import Operation
from farebox.contract.texts import Language
from farebox.core.workspace import Token
from farebox.service.authenticate import Caller

Struct = TypeVar("Struct", bound=msgspec.Struct)


@dataclass(slots=True, kw_only=True)
class Call:
    """One call; `now_ms` is its instant, the same wherever it is asked for."""

    context: Context
    operation: Operation
    request: Request
    language: Language
    now_ms: int
    decoded_body: msgspec.Struct | None = None
    decoded_query: msgspec.Struct | None = None
    known_caller: Caller | None = None
    known_token: Token | None = None

    @property
    def caller(self) -> Caller:
        """Who calls a customer endpoint."""
        assert self.known_caller is not None
        return self.known_caller

    @property
    def token(self) -> Token:
        """The token of a call of the metering or admin API."""
        assert self.known_token is not None
        return self.known_token

    def body(self, type_: type[Struct]) -> Struct:
        """The decoded body, which is of the operation's type."""
        assert isinstance(self.decoded_body, type_)
        return self.decoded_body

    def query(self, type_: type[Struct]) -> Struct:
        """The decoded query string, which is of the operation's type."""
        assert isinstance(self.decoded_query, type_)
        return self.decoded_query

    def path(self, name: str) -> str:
        """A value in the path."""
        return str(self.request.path_params[name])


Answer = msgspec.Struct | bytes | Response | None
Handler = Callable[[Call], Awaitable[Answer]]
