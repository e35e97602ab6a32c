"""docs/middleware.md: its programs run, and its numbers and names are those of the middleware."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import flask
import pytest
from starlette.types import ASGIApp

from farebox import FareboxMiddleware
from farebox.contract.rate_headers import CREDITS_LEFT, RATE_LIMIT, RATE_LIMIT_POLICY
from farebox.embed import wsgi
from farebox.embed.passage import COMMIT_SECONDS_MAX, CREDITS_HEADER, Passed
from tests.embed.market import MICRO, REDEEM, Market
from tests.embed.served import Wire, scope_of

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/middleware.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_programs_run(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_DATABASE", market.url)
    buyer = market.buyer()
    asgi, flask_app, redeem = PROGRAMS
    names: dict[str, Any] = {}
    exec(asgi, names)  # noqa: S102 - our own
    app: ASGIApp = names["app"]
    for path, status in (("/health", 404), ("/docs", 200), ("/people", 401)):
        wire = Wire()
        asyncio.run(_call(app, path, wire))
        assert wire.status == status, path
    for found, credits in (({"email": "a"}, 15), ({"email": "a", "phone": "1"}, 30)):
        names = {"look_up": lambda found=found: found, "__name__": __name__}
        exec(flask_app + redeem, names)  # noqa: S102 - our own
        served = names["app"]
        assert isinstance(served, flask.Flask)
        answer = served.test_client().post(REDEEM, headers=buyer.headers)
        assert (answer.status_code, answer.json) == (200, found)
        assert CREDITS_HEADER not in answer.headers
        answer.close()
        middleware: Any = served.wsgi_app
        assert isinstance(middleware, wsgi.FareboxMiddleware)
        middleware.stop()
        assert market.rows(buyer)[-1].credits_micro == credits * MICRO


async def _call(app: ASGIApp, path: str, wire: Wire) -> None:
    await app(scope_of(None, path, method="GET"), wire.receive, wire.send)


def test_the_names_and_numbers_are_those_of_the_middleware() -> None:
    words = " ".join(TEXT.split())
    for middleware in (FareboxMiddleware, wsgi.FareboxMiddleware):
        arguments = inspect.signature(middleware).parameters
        assert {"mount", "paths", "exclude"} <= set(arguments)
    for name in ("mount", "paths", "exclude"):
        assert f"| `{name}` |" in TEXT
    for field in Passed._fields:
        assert f"`{field}`" in TEXT
    for header in (CREDITS_HEADER, CREDITS_LEFT, RATE_LIMIT, RATE_LIMIT_POLICY):
        assert f"`{header}`" in TEXT
    assert f"for at most {COMMIT_SECONDS_MAX:g} seconds" in words


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
