"""A client of the documentation's routes, without a server."""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from farebox.core.errors import FareboxError
from farebox.pages.app import routes
from farebox.pages.facts import Facts, MetricFact, SettingFact

FACTS = Facts(
    "1.2.3",
    base_url="http://farebox.test",
    key_headers=("x-api-key",),
    settings=(
        SettingFact("FAREBOX_PORT", "8080", "The port to listen on; 0 takes a free one."),
        SettingFact("FAREBOX_ODD", "", "One | two."),
    ),
    metrics=(MetricFact("farebox_requests_total", "counter", "Requests recorded."),),
)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, FareboxError)
    return PlainTextResponse(error.message, status_code=error.kind.status)


APP = Starlette(routes=routes(FACTS), exception_handlers={FareboxError: _refused})


def get(path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
    """The answer to a call without a body."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=APP)
        async with httpx.AsyncClient(transport=transport, base_url=FACTS.base_url) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())
