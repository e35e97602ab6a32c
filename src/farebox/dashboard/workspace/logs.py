"""The logs page: single requests, searched and paged, and what was captured of one."""

from __future__ import annotations

import re
from typing import NamedTuple, get_args

import msgspec
from starlette.responses import Response

from farebox.contract.logs import DISPLAY_PAGES_MAX, PER_PAGE, PER_PAGE_MAX
from farebox.core.errors import INVALID_FIELD, FareboxError
from farebox.core.identity import format_uuid, parse_uuid
from farebox.core.instant import MS_PER_SECOND
from farebox.core.phrase import Phrase
from farebox.core.preset import Preset
from farebox.dashboard.numbers import page_of
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace.asked import (
    Asked,
    Choice,
    key_choices,
    log_type_choices,
    read_asked,
    take_query,
)
from farebox.service.log_lookup import look_up_log
from farebox.service.logs import LogQuery, OrderBy, read_log, read_logs
from farebox.store.contract import Reader

# A short range by default: how long a page takes is how many requests are looked through.
USUAL: Preset = "7d"
STATUS, STATUS_CODES, METHOD, SEARCH = "status", "status_codes", "method", "search"
ORDER, PER = "order", "per_page"
STATUS_CLASSES = ("2", "3", "4", "5")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
ORDERS: tuple[OrderBy, ...] = get_args(OrderBy)
SIZES = (PER_PAGE, 2 * PER_PAGE, PER_PAGE_MAX)
CODES_EXPECTED = Phrase("status codes from 100 to 599, such as 404, 429")
_CODES_MAX = 50


class Paging(NamedTuple):
    """Where the page stands; `pages` can be shown of those that there are."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    is_timeout: bool


async def show_logs(visit: Visit) -> Response:
    """The page."""
    take_query(visit)
    log_query_ms = visit.desk.log_query_ms

    def work(reader: Reader) -> Response:
        asked = read_asked(visit, reader, USUAL)
        query = _query(visit, asked)
        found = read_logs(
            reader,
            visit.desk.directory,
            visit.workspace,
            query,
            pages_max=DISPLAY_PAGES_MAX,
            budget_ms=log_query_ms,
        )
        pages = min(-(-found.total_entries // query.per_page), DISPLAY_PAGES_MAX)
        first = (query.page - 1) * query.per_page + 1
        return visit.page(
            "workspace/logs.html",
            asked=asked,
            query=query,
            rows=found.rows,
            paging=Paging(
                query.page,
                pages,
                first,
                first + len(found.rows) - 1,
                found.total_entries,
                found.is_timeout,
            ),
            keys=key_choices(visit, asked.keys),
            log_types=log_type_choices(visit),
            statuses=_status_choices(visit),
            methods=[Choice(method, method) for method in METHODS],
            sizes=SIZES,
            pages_max=DISPLAY_PAGES_MAX,
            uuid=_uuid,
            is_filtered=asked.is_filtered or _is_narrowed(query),
        )

    return await visit.read(work, own_seconds=log_query_ms / MS_PER_SECOND)


async def show_log(visit: Visit) -> Response:
    """One request, with its headers and bodies if they were captured."""
    log_id = visit.path("query_log_id")

    def work(reader: Reader) -> Response:
        detail = look_up_log(reader, visit.profile_id, log_id)
        packed = parse_uuid(log_id)
        assert packed is not None  # it was looked up
        row = read_log(reader, visit.profile_id, packed.hex())
        assert row is not None  # likewise
        return visit.page(
            "workspace/log.html",
            log_id=log_id,
            row=row,
            headers=_headers(detail.request_headers),
            request_body=pretty(detail.request_body),
            response_body=pretty(detail.response_body),
            is_captured=bool(detail.request_headers or detail.request_body or detail.response_body),
        )

    return await visit.read(work)


def _uuid(query_log_id: str) -> str:
    """An id in hex as it is shown."""
    return format_uuid(bytes.fromhex(query_log_id))


def pretty(body: str) -> str:
    """A body as it is read best: JSON in lines, with its values as they were; else as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.MsgspecError, RecursionError):
        return body


def _headers(text: str) -> list[tuple[str, str]]:
    """The captured headers by name."""
    return sorted(msgspec.json.decode(text, type=dict[str, str]).items()) if text else []


def _query(visit: Visit, asked: Asked) -> LogQuery:
    form = visit.form
    order = form.text(ORDER)
    name, _, direction = order.partition("-")
    methods = tuple(method for method in form.many(METHOD) if method in METHODS)
    return LogQuery(
        page=page_of(form.text("page")),
        per_page=next((size for size in SIZES if str(size) == form.text(PER)), PER_PAGE),
        order_by=next((known for known in ORDERS if known == name), "created_at"),
        is_ascending_order=direction == "asc",
        filters=asked.filters,
        search_term=form.text(SEARCH),
        status_codes=_status_codes(visit),
        methods=methods or None,
        days=asked.days,
    )


def _status_codes(visit: Visit) -> tuple[int, ...] | None:
    """The codes of the ticked classes, and those that were typed."""
    form = visit.form
    chosen = [one for one in form.many(STATUS) if one in STATUS_CLASSES]
    found = {code for one in chosen for code in range(int(one) * 100, int(one) * 100 + 100)}
    typed = re.split(r"[\s,;]+", form.text(STATUS_CODES).strip(" ,;"))
    typed = [text for text in typed if text]
    if len(typed) > _CODES_MAX or not all(
        re.fullmatch(r"[1-5]\d\d", text, re.ASCII) for text in typed
    ):
        wrong = FareboxError(INVALID_FIELD, field=STATUS_CODES, expected=CODES_EXPECTED)
        form.blame(wrong, visit.language)
        typed = []
    found |= {int(text) for text in typed}
    return tuple(sorted(found)) or None


def _status_choices(visit: Visit) -> list[Choice]:
    return [
        Choice("2", "2xx", visit.text("succeeded")),
        Choice("3", "3xx", visit.text("redirected")),
        Choice("4", "4xx", visit.text("the caller's mistakes")),
        Choice("5", "5xx", visit.text("the service's faults")),
    ]


def _is_narrowed(query: LogQuery) -> bool:
    return bool(query.search_term or query.status_codes or query.methods)
