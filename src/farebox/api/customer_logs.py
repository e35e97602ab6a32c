"""The customer endpoints of the log: its pages, and what was captured of one request (SPEC 3.6)."""

from __future__ import annotations

from farebox.api.call import Answer, Call, Handler
from farebox.api.customer_forms import filters_metadata, pagination, query_log
from farebox.api.reading import read
from farebox.contract import logs
from farebox.contract.logs import (
    DISPLAY_PAGES_MAX,
    PAGE,
    PER_PAGE,
    LogsAnswer,
    LogsData,
    LogsRequest,
    LookupAnswer,
    LookupData,
    LookupMetadata,
    LookupRequest,
)
from farebox.contract.wire import ENCODER
from farebox.core.calendar import zone_of
from farebox.core.instant import MS_PER_SECOND
from farebox.engine.directory import Directory
from farebox.service.date_range import open_range
from farebox.service.log_lookup import look_up_log
from farebox.service.logs import LogQuery, read_logs
from farebox.service.usage_filters import UsageFilters, selected_keys, selected_log_types
from farebox.store.contract import Reader


async def get_logs(call: Call) -> Answer:
    """`/api_keys/logs`."""
    body = call.body(LogsRequest)
    workspace, directory = call.caller.workspace, call.context.directory
    query = _query(body, directory, workspace.profile_id)
    zone = zone_of(workspace.timezone)

    def work(reader: Reader) -> bytes:
        page = read_logs(
            reader,
            directory,
            workspace,
            query,
            pages_max=DISPLAY_PAGES_MAX,
            budget_ms=call.context.log_query_ms,
        )
        data = LogsData(
            pagination(
                query.page,
                query.per_page,
                page.total_entries,
                DISPLAY_PAGES_MAX,
                is_timeout=page.is_timeout,
            ),
            [query_log(row, workspace.profile_id, zone) for row in page.rows],
        )
        return ENCODER.encode(LogsAnswer(filters_metadata(body), data))

    own_seconds = call.context.log_query_ms / MS_PER_SECOND
    return await read(call, work, own_seconds=own_seconds)


async def look_up(call: Call) -> Answer:
    """`/api_keys/logs/lookup`."""
    log_id = call.body(LookupRequest).query_log_id
    profile_id = call.caller.profile_id
    detail = await read(call, lambda reader: look_up_log(reader, profile_id, log_id))
    return LookupAnswer(
        LookupMetadata(log_id),
        LookupData(
            query_log_id=log_id,
            request_body=detail.request_body,
            request_headers=detail.request_headers,
            response_body=detail.response_body,
            response_size=detail.response_size,
        ),
    )


def _query(body: LogsRequest, directory: Directory, profile_id: int) -> LogQuery:
    log_type_ids = selected_log_types(directory, body.log_type_slugs)
    if body.log_types:
        named = frozenset(body.log_types)
        log_type_ids = named if log_type_ids is None else named & log_type_ids
    return LogQuery(
        page=PAGE if body.page is None else body.page,
        per_page=PER_PAGE if body.per_page is None else body.per_page,
        order_by="created_at" if body.order_by is None else body.order_by,
        is_ascending_order=bool(body.is_ascending_order),
        filters=UsageFilters(selected_keys(directory, profile_id, body.keys), log_type_ids),
        search_term=body.search_term or "",
        status_codes=tuple(body.status_codes) if body.status_codes else None,
        methods=tuple(method.upper() for method in body.methods) if body.methods else None,
        days=open_range(body.start_date or None, body.end_date or None),
    )


HANDLERS: dict[str, Handler] = {
    logs.LOGS.operation_id: get_logs,
    logs.LOOKUP.operation_id: look_up,
}
