"""The sample API: three priced endpoints, served beside Farebox's own, to be tried with curl.

It stands for the provider's API, behind the middleware: a call is admitted or refused by its key,
limits and credits, and recorded before its answer leaves. `people_search` and `company_search` cost
the price of their log type, `people_redeem` what was found, which the endpoint tells in
`Farebox-Credits`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from farebox.api.body import read_body
from farebox.api.context import Context
from farebox.api.dispatch import no_route
from farebox.api.errors import error_response
from farebox.contract.decoding import decode
from farebox.contract.texts import language_of
from farebox.contract.wire import ENCODER, JSON
from farebox.core.errors import WRONG_METHOD, FareboxError
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
from farebox.embed.asgi import FareboxMiddleware
from farebox.embed.passage import CREDITS_HEADER

MOUNT = "/sample"

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


def sample_routes(context: Context) -> list[Mount]:
    """The sample API, under `/sample`."""

    async def missing(request: Request, _: Exception) -> Response:
        return no_route(context, request)

    sold = Starlette(
        routes=[Route(sale.endpoint.path, _Seller(context, sale)) for sale in SALES],
        exception_handlers={404: missing},
    )
    sold.router.redirect_slashes = False
    # What was called is in the report that is asked for next.
    return [Mount(MOUNT, FareboxMiddleware(sold, context=context, middleware_wait=True))]


class _Seller:
    """One endpoint as an ASGI app."""

    def __init__(self, context: Context, sale: _Sale) -> None:
        self._context = context
        self._sale = sale

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        language = language_of(request.headers.get("accept-language"))
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        except FareboxError as error:
            response = error_response(error, "general", language, self._context.entropy)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        method = self._sale.endpoint.method
        if request.method != method:
            raise FareboxError(WRONG_METHOD, method=request.method, allowed=method)
        found = self._sale.answer(decode(await read_body(request), self._sale.form))
        response = Response(ENCODER.encode({"data": found.data}), media_type=JSON)
        if found.credits is not None:
            response.headers[CREDITS_HEADER] = str(found.credits)
        return response
