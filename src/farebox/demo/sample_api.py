"""The sample API: three priced endpoints, served beside Farebox's own, to be tried with curl.

It stands for the provider's API. A call is authenticated by its API key, answered, and recorded
before the answer leaves: `people_search` and `company_search` at the price of their log type,
`people_redeem` at what was found. It records only; limits and credits refuse nothing here until
requests are admitted by the gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from farebox.api.auth import authenticate_key
from farebox.api.body import read_body
from farebox.api.context import Context
from farebox.api.errors import error_response
from farebox.contract.decoding import decode
from farebox.contract.texts import Language, language_of
from farebox.contract.wire import ENCODER, JSON
from farebox.core.credits import MICRO_PER_CREDIT, to_text
from farebox.core.errors import WRONG_METHOD, FareboxError
from farebox.core.identity import content_digest
from farebox.core.instant import MS_PER_SECOND
from farebox.demo.endpoints import (
    COMPANY_SEARCH,
    PEOPLE_REDEEM,
    PEOPLE_SEARCH,
    Endpoint,
    redeem_credits,
)
from farebox.demo.people import (
    PERSON_ID_PATTERN,
    contact,
    person,
    search_companies,
    search_people,
)
from farebox.engine.entropy import new_time_uuid
from farebox.service.authenticate import Caller
from farebox.service.record import Draft, Packer

MOUNT = "/sample"
SOURCE = "sample"
CREDITS_HEADER = "Farebox-Credits"

Text = Annotated[str, Meta(min_length=1, max_length=200)]
PerPage = Annotated[int, Meta(ge=1, le=25)]


class Search(Struct, kw_only=True, frozen=True):
    """The body of both searches."""

    query: Text
    location: Text | None = None
    per_page: PerPage = 3


class Redeem(Struct, kw_only=True, frozen=True):
    """Whose contact to buy."""

    person_id: Annotated[str, Meta(pattern=PERSON_ID_PATTERN)]


class Found(NamedTuple):
    """What an endpoint answers, and what it costs; None is the log type's price."""

    data: dict[str, object]
    credits: int | None = None


NOTHING = Found({}, 0)


def find_people(search: Search) -> Found:
    """People that fit a query."""
    people, total = search_people(search.query, search.location, search.per_page)
    return Found({"people": [one._asdict() for one in people], "total_entries": total})


def find_companies(search: Search) -> Found:
    """Companies that fit a query."""
    companies, total = search_companies(search.query, search.location, search.per_page)
    return Found({"companies": [one._asdict() for one in companies], "total_entries": total})


def redeem_people(redeem: Redeem) -> Found:
    """A person's email address and phone number, as far as they are known."""
    known = contact(redeem.person_id)
    credits = redeem_credits(has_email=known.email is not None, has_phone=known.phone is not None)
    return Found(person(redeem.person_id)._asdict() | known._asdict(), credits)


class _Sale(NamedTuple):
    """An endpoint, the form of its body, and what answers it."""

    endpoint: Endpoint
    form: type[Struct]
    answer: Callable[[Any], Found]


SALES = (
    _Sale(PEOPLE_SEARCH, Search, find_people),
    _Sale(COMPANY_SEARCH, Search, find_companies),
    _Sale(PEOPLE_REDEEM, Redeem, redeem_people),
)


def sample_routes(context: Context) -> list[Route]:
    """The routes of the sample API, under `/sample`."""
    packer = Packer(context.directory, context.entropy)
    return [Route(MOUNT + sale.endpoint.path, _Seller(context, packer, sale)) for sale in SALES]


class _Seller:
    """One endpoint as an ASGI app."""

    def __init__(self, context: Context, packer: Packer, sale: _Sale) -> None:
        self._context = context
        self._packer = packer
        self._sale = sale

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        language = language_of(request.headers.get("accept-language"))
        try:
            response = await self._respond(request, language)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - every failure is answered and logged
            response = self._error(error, language)
        await response(scope, receive, send)

    async def _respond(self, request: Request, language: Language) -> Response:
        began, now_ms = time.perf_counter(), self._context.clock.now_ms()
        method = self._sale.endpoint.method
        if request.method != method:
            raise FareboxError(WRONG_METHOD, method=request.method, allowed=method)
        caller = await authenticate_key(self._context, request)
        try:
            found = self._sale.answer(decode(await read_body(request), self._sale.form))
            response = Response(ENCODER.encode({"data": found.data}), media_type=JSON)
        except FareboxError as error:
            found = NOTHING
            response = self._error(error, language)
        draft = self._draft(request, caller, response, found, now_ms)
        draft = draft._replace(duration_ms=int((time.perf_counter() - began) * MS_PER_SECOND))
        row = self._packer.pack(draft, now_ms)
        await self._context.link.record([row])
        self._context.metrics.count("farebox_requests_total", outcome="accepted")
        response.headers[CREDITS_HEADER] = to_text(row.credits_micro)
        return response

    def _draft(
        self, request: Request, caller: Caller, response: Response, found: Found, now_ms: int
    ) -> Draft:
        request_id = new_time_uuid(self._context.entropy, now_ms)
        return Draft(
            request_id=request_id,
            source=SOURCE,
            content=content_digest(request_id.encode()),
            key=caller.key,
            log_type=self._sale.endpoint.slug,
            time_ms=now_ms,
            method=request.method,
            path=self._sale.endpoint.path,
            status_code=response.status_code,
            duration_ms=None,
            response_size=len(response.body),
            ip=request.client.host if request.client else None,
            channel=None,
            credits_micro=None if found.credits is None else found.credits * MICRO_PER_CREDIT,
            authentication_type=caller.authentication_type,
        )

    def _error(self, error: Exception, language: Language) -> Response:
        return error_response(error, "general", language, self._context.entropy)
