"""The site: serves pages by their declarations, the same way for all of them.

Language and theme, session, rights, form, page, cookies, headers; whatever goes wrong on the way
is told on a page of its own. What it refuses: a page without its session (the sign-in page comes
first), a form that is not from a page of ours (403), a write by who may only look (403).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from farebox.core.errors import (
    FOREIGN_FORM,
    NO_ROUTE,
    VIEW_ONLY,
    WRONG_METHOD,
    FareboxError,
)
from farebox.core.key import holds_secret, strike_out
from farebox.dashboard.access import check_open, session_of
from farebox.dashboard.assets import ROOT as ASSETS_ROOT
from farebox.dashboard.assets import assets
from farebox.dashboard.desk import Desk
from farebox.dashboard.form import read_form
from farebox.dashboard.headers import ASSET_HEADERS, NO_ASSET_HEADERS, page_headers
from farebox.dashboard.preferences import chosen, language_of_request, remember, theme_of_request
from farebox.dashboard.problem import problem_page
from farebox.dashboard.session import ROOTS, SESSION_MS, Area
from farebox.dashboard.visit import SEE_OTHER, UNAVAILABLE, Visit
from farebox.service.failure import RETRY_AFTER_SECONDS, as_farebox_error

Work = Callable[[Visit], Awaitable[Response]]
Needs = Literal["nothing", "session", "manage"]
NEXT = "next"
NEXT_LENGTH_MAX = 1_000
log = logging.getLogger("farebox.dashboard")


class Page(NamedTuple):
    """One address: `show` answers GET, `send` answers the POST of its form."""

    path: str
    show: Work | None
    send: Work | None = None
    needs: Needs = "session"
    needs_to_send: Needs = "manage"


def routes(desk: Desk, area: Area, pages: Sequence[Page]) -> list[Route]:
    """The routes of an area; an address below its root that is none of them is told so there."""
    root = ROOTS[area]
    always = (
        Page("/", _to_root, needs="nothing"),
        Page("/sign-out", None, _sign_out, needs_to_send="nothing"),
        Page("/{rest:path}", None, needs="nothing"),
    )
    return [Route(root + page.path, _Endpoint(desk, area, page)) for page in (*pages, *always)]


def asset_routes() -> list[Route]:
    """The route of the files that pages need."""
    return [Route(f"{ASSETS_ROOT}/{{version}}/{{name}}", _asset)]


async def _to_root(visit: Visit) -> Response:
    return visit.go(visit.root)


async def _sign_out(visit: Visit) -> Response:
    visit.ends = True
    return visit.go(f"{visit.root}/sign-in")


async def _asset(request: Request) -> Response:
    asset = assets().get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse(NO_ROUTE.message, NO_ROUTE.status, headers=NO_ASSET_HEADERS)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = {**ASSET_HEADERS, "Content-Encoding": "gzip"}
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=ASSET_HEADERS)


class _Endpoint:
    """One page as an ASGI app."""

    def __init__(self, desk: Desk, area: Area, page: Page) -> None:
        self._desk = desk
        self._area: Area = area
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request = Request(scope, receive)
        preferred = _without_secrets(request) or chosen(request)
        if preferred is not None:
            response: Response = RedirectResponse(preferred, SEE_OTHER)
            remember(
                request,
                response,
                is_secure=self._is_secure(request),
                is_framed=bool(self._desk.frame_ancestors),
            )
        else:
            try:
                response = await self._answer(request)
            except ClientDisconnect:
                return
        response.headers.update(page_headers(self._desk.frame_ancestors, self._area))
        if request.method == "HEAD":
            response.body = b""
        await response(scope, receive, send)
        self._note(request, response.status_code, time.perf_counter() - began)

    async def _answer(self, request: Request) -> Response:
        visit = self._visit(request)
        try:
            response = await self._work(visit)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - every failure is told and logged
            sent = await self._sent(visit, error)
            response = await run_in_threadpool(problem_page, visit, error, sent)
        if response.status_code == UNAVAILABLE:
            response.headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
        is_secure = self._is_secure(request)
        if visit.ends:
            self._desk.sessions.end(response, self._area, is_secure=is_secure)
        elif visit.keeps is not None:
            self._desk.sessions.keep(response, visit.keeps, visit.now_ms, is_secure=is_secure)
        return response

    async def _sent(self, visit: Visit, error: Exception) -> list[tuple[str, str]]:
        """What was typed into a form that met an outage, to be sent again; never a secret."""
        desk, is_passing = self._desk, as_farebox_error(error).kind.status == UNAVAILABLE
        if (
            not is_passing
            or visit.request.method != "POST"
            or self._page.needs_to_send == "nothing"
        ):
            return []
        with suppress(FareboxError):
            if visit.form.is_blank:
                visit.form = await read_form(visit.request)
            session = desk.sessions.read(visit.request, self._area, visit.now_ms)
            # A page of somebody else mustn't have its form offered by ours.
            if session is not None and desk.marks.fits(session, visit.form):
                return visit.form.pairs()
        return []

    def _visit(self, request: Request) -> Visit:
        """The visit of a visitor; who is signed in is found out later, since that may fail."""
        desk, now_ms = self._desk, self._desk.clock.now_ms()
        return Visit(
            desk=desk,
            request=request,
            area=self._area,
            language=language_of_request(request),
            theme=theme_of_request(request),
            now_ms=now_ms,
            session=desk.sessions.make(self._area, "visitor", now_ms + SESSION_MS),
        )

    async def _work(self, visit: Visit) -> Response:
        page, method = self._page, visit.request.method
        known = await session_of(visit)
        if known is not None:
            visit.session = known
        work = page.send if method == "POST" else page.show
        if work is None or method not in {"GET", "HEAD", "POST"}:
            raise self._no_page(method)
        needs = page.needs_to_send if method == "POST" else page.needs
        if needs != "nothing" and not visit.is_signed_in:
            return visit.go(f"{ROOTS[self._area]}/sign-in?{urlencode({NEXT: _here(visit)})}")
        if needs != "nothing":
            check_open(visit)
        if method == "POST":
            visit.form = await read_form(visit.request)
            if not self._desk.marks.fits(visit.session, visit.form):
                raise FareboxError(FOREIGN_FORM)
        elif known is None:
            visit.keeps = visit.session  # the mark of a form needs a session to belong to
        if needs == "manage" and not visit.may_manage:
            raise FareboxError(VIEW_ONLY)
        return await work(visit)

    def _no_page(self, method: str) -> FareboxError:
        page = self._page
        allowed = [*(["GET"] if page.show else []), *(["POST"] if page.send else [])]
        if not allowed:
            return FareboxError(NO_ROUTE)
        return FareboxError(WRONG_METHOD, method=method, allowed=", ".join(allowed))

    def _is_secure(self, request: Request) -> bool:
        return self._desk.is_https or request.url.scheme == "https"

    def _note(self, request: Request, status: int, seconds: float) -> None:
        route = ROOTS[self._area] + self._page.path
        method = request.method if request.method in {"GET", "HEAD", "POST"} else "other"
        metrics = self._desk.metrics
        metrics.count("farebox_http_requests_total", route=route, method=method, status=str(status))
        metrics.observe("farebox_http_request_seconds", seconds, route=route)


def _without_secrets(request: Request) -> str | None:
    """The address without the keys that somebody typed into a search; None where there are none."""
    address = f"{request.url.path}?{request.url.query}".removesuffix("?")
    return strike_out(address) if request.method == "GET" and holds_secret(address) else None


def _here(visit: Visit) -> str:
    """The page that is asked for; after a form, the one that it stood on is lost, so its root."""
    if visit.request.method == "POST":
        return ROOTS[visit.area]
    query = visit.request.url.query
    here = visit.request.url.path + (f"?{query}" if query else "")
    # Servers in between refuse headers that are longer than some KiB.
    return here if len(here) <= NEXT_LENGTH_MAX else ROOTS[visit.area]


def next_path(visit: Visit) -> str:
    """Where to go after the sign-in: a page of this area and nowhere else."""
    path, root = visit.form.text(NEXT) or visit.query(NEXT), ROOTS[visit.area]
    is_ours = path == root or path.startswith((f"{root}/", f"{root}?"))
    return path if is_ours and "\\" not in path and path.isprintable() else root
