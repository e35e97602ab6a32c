"""The routes of the documentation: `/docs/…`, `/llms.txt`, `/openapi/{lang}.json` and its files.

`/` leads to the dashboard.

A page is made when it is first asked for and then kept. An address that is none raises the error
of the catalogue, which the server answers as it answers every other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from farebox.contract.service import HTML, MARKDOWN, PLAIN
from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language, language_of
from farebox.contract.wire import JSON
from farebox.core.errors import NO_ROUTE, WRONG_METHOD, FareboxError
from farebox.pages.facts import Facts
from farebox.pages.html import page_html
from farebox.pages.markdown import llms, openapi, page_markdown
from farebox.pages.site import INDEX, slugs

SECURITY_HEADERS = {
    # The interactive reference draws its icons from data: addresses; nothing comes from outside.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
CACHE_SECONDS = 300
_METHODS = ("GET", "HEAD")
SUFFIX = ".md"
# With a slash, so that no page can have such a name.
LLMS = "/llms.txt"
OPENAPI = "/openapi"
DASHBOARD = "/dashboard"
_BUNDLE = "flask-swagger-ui"
_BUNDLED = ("swagger-ui.css", "swagger-ui-bundle.js")
_OWN = ("docs.css", "reference.css", "reference.js")


class Made(NamedTuple):
    """A page as it goes out."""

    body: bytes
    media_type: str
    language: Language


class _Endpoint:
    """Answers GET and HEAD on a thread, and refuses every other method as the server does."""

    def __init__(self, respond: Callable[[Request], Response]) -> None:
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method not in _METHODS:
            allowed = ", ".join(_METHODS)
            raise FareboxError(WRONG_METHOD, method=request.method, allowed=allowed)
        response = await run_in_threadpool(self._respond, request)
        await response(scope, receive, send)


def routes(facts: Facts) -> list[Route]:
    """The routes, in the order in which they must be tried."""
    made = lru_cache(maxsize=None)(lambda name, language: make(name, language, facts))

    def root(request: Request) -> Response:
        del request
        return RedirectResponse(DASHBOARD, headers=SECURITY_HEADERS)

    def docs(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language"))
        vary = {"Vary": "Accept-Language"}
        return RedirectResponse(f"/docs/{language}/", headers=SECURITY_HEADERS | vary)

    def docs_language(request: Request) -> Response:
        return RedirectResponse(f"/docs/{_language(request)}/", headers=SECURITY_HEADERS)

    def docs_page(request: Request) -> Response:
        return _answer(made(request.path_params.get("page", INDEX), _language(request)))

    def llms_txt(request: Request) -> Response:
        del request
        return _answer(made(LLMS, "en"))

    def openapi_json(request: Request) -> Response:
        return _answer(made(OPENAPI, _language(request)))

    def docs_asset(request: Request) -> Response:
        path = assets().get(request.path_params["file"])
        if path is None:
            raise FareboxError(NO_ROUTE)
        return FileResponse(path, headers=_headers())

    return [
        Route("/", _Endpoint(root), name="root_get"),
        Route("/llms.txt", _Endpoint(llms_txt), name="llms_txt_get"),
        Route("/openapi/{lang}.json", _Endpoint(openapi_json), name="openapi_get"),
        Route("/docs", _Endpoint(docs), name="docs_get"),
        Route("/docs/assets/{file}", _Endpoint(docs_asset), name="docs_asset_get"),
        Route("/docs/{lang}", _Endpoint(docs_language), name="docs_language_get"),
        Route("/docs/{lang}/", _Endpoint(docs_page), name="docs_index_get"),
        Route("/docs/{lang}/{page}", _Endpoint(docs_page), name="docs_page_get"),
    ]


@lru_cache(maxsize=1)
def assets() -> dict[str, Path]:
    """The files that pages need, by their name in the address.

    Swagger UI is found by what its wheel says of itself, so that nothing of it is imported.
    """
    own = resources.files("farebox.pages")
    found = {name: Path(str(own.joinpath(f"assets/{name}"))) for name in _OWN}
    for file in metadata.files(_BUNDLE) or []:
        if file.name in _BUNDLED and file.parent.name == "dist":
            found[file.name] = Path(str(file.locate()))
    return found


def _language(request: Request) -> Language:
    language: Language | None = next(
        (known for known in LANGUAGES if known == request.path_params["lang"]), None
    )
    if language is None:
        raise FareboxError(NO_ROUTE)
    return language


def make(name: str, language: Language, facts: Facts) -> Made:
    """A page by its name in the address: a slug, with `.md` or without, or one of the two above.

    Raises:
        FareboxError: 404, there is no such page.
    """
    if name == LLMS:
        return Made(llms(facts).encode(), PLAIN, language)
    if name == OPENAPI:
        return Made(msgspec.json.encode(openapi(language, facts)), JSON, language)
    slug = name.removesuffix(SUFFIX)
    if slug not in slugs():
        raise FareboxError(NO_ROUTE)
    render: Callable[[str, Language, Facts], str]
    render, media_type = (page_markdown, MARKDOWN) if name != slug else (page_html, HTML)
    return Made(render(slug, language, facts).encode(), media_type, language)


def _answer(page: Made) -> Response:
    headers = _headers() | {"Content-Language": LANGUAGE_TAGS[page.language]}
    return Response(page.body, media_type=page.media_type, headers=headers)


def _headers() -> dict[str, str]:
    return {**SECURITY_HEADERS, "Cache-Control": f"public, max-age={CACHE_SECONDS}"}
