"""Credentials: where a call carries them. They are read from headers, never from a URL.

A key comes in any of the configured headers, or as `Authorization: Bearer`; a token only so.
"""

from __future__ import annotations

from starlette.requests import Request

from farebox.api.context import Context
from farebox.core.errors import INVALID_TOKEN, KEY_IN_URL, MISSING_KEY, FareboxError
from farebox.core.key import holds_secret
from farebox.core.workspace import Scope, Token
from farebox.service.authenticate import (
    Caller,
    find_caller,
    find_token,
)

AUTHORIZATION = "authorization"
_BEARER = "bearer "
_KEY_PARAMETERS = {"apikey", "key", "token", "accesstoken", "authorization"}


async def authenticate_key(context: Context, request: Request) -> Caller:
    """Who calls a customer endpoint.

    Raises:
        FareboxError: 400 for a key in the URL, 401, 403 for a suspended workspace, or 503.
    """
    refuse_key_in_url(request, context.key_headers)
    header, secret = presented_key(request, context.key_headers)
    return await find_caller(
        context.directory, context.follower, secret, header, context.clock.now_ms()
    )


async def authenticate_scope(context: Context, request: Request, scope: Scope) -> Token:
    """The token of a call of the metering or admin API.

    Raises:
        FareboxError: 400 for a token in the URL, 401, 403 for the other scope, or 503.
    """
    refuse_key_in_url(request, context.key_headers)
    secret = _bearer(request)
    if secret is None:
        raise FareboxError(INVALID_TOKEN, scope=scope)
    return await find_token(context.directory, context.follower, secret, scope)


def refuse_key_in_url(request: Request, key_headers: tuple[str, ...]) -> None:
    """Refuse a call whose URL holds what looks like a credential: it is in someone's log by now.

    Raises:
        FareboxError: 400.
    """
    if not request.scope["query_string"]:
        return
    names = _KEY_PARAMETERS | {_plain(name) for name in key_headers}
    for name, value in request.query_params.multi_items():
        if _plain(name) in names or holds_secret(value):
            raise FareboxError(KEY_IN_URL)


def presented_key(request: Request, key_headers: tuple[str, ...]) -> tuple[str, str]:
    """The name of the header and the key in it.

    Raises:
        FareboxError: 401, there is none.
    """
    for name in key_headers:
        value = request.headers.get(name, "").strip()
        if value:
            return name, value
    secret = _bearer(request)
    if secret is None:
        raise FareboxError(MISSING_KEY, header=key_headers[0])
    return AUTHORIZATION, secret


def _bearer(request: Request) -> str | None:
    value = request.headers.get(AUTHORIZATION, "")
    if not value.lower().startswith(_BEARER):
        return None
    return value[len(_BEARER) :].strip() or None


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
