"""The customer endpoints of reports: by day, by key and endpoint (SPEC 3.2, 3.3), refused calls."""

from __future__ import annotations

from farebox.api.call import Answer, Call, Handler
from farebox.api.customer_forms import breakdown_data, daily_data, filters_metadata, refusals_data
from farebox.api.reading import read
from farebox.contract import refusals, usage
from farebox.contract.refusals import RefusedCallsAnswer, RefusedCallsRequest
from farebox.contract.usage import (
    BreakdownAnswer,
    BreakdownRequest,
    DailyAnswer,
    DailyRequest,
)
from farebox.contract.wire import ENCODER
from farebox.service.date_range import date_range
from farebox.service.refusal_counts import read_refused_calls
from farebox.service.usage_breakdown import usage_breakdown
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import selected_keys, usage_filters
from farebox.store.contract import Reader


async def get_daily(call: Call) -> Answer:
    """`/api_keys/usage/daily`."""
    body = call.body(DailyRequest)
    days = date_range(body.start_date, body.end_date)
    profile_id, directory = call.caller.profile_id, call.context.directory
    filters = usage_filters(directory, profile_id, body.keys, body.log_type_slugs)

    def work(reader: Reader) -> bytes:
        report = usage_daily(
            reader, directory, profile_id, days, filters, fill_gaps=bool(body.fill_gaps)
        )
        return ENCODER.encode(DailyAnswer(filters_metadata(body), daily_data(report)))

    return await read(call, work)


async def get_breakdown(call: Call) -> Answer:
    """`/api_keys/usage/breakdown`."""
    body = call.body(BreakdownRequest)
    days = date_range(body.start_date, body.end_date)
    profile_id, directory = call.caller.profile_id, call.context.directory
    filters = usage_filters(directory, profile_id, body.keys, body.log_type_slugs)

    def work(reader: Reader) -> bytes:
        report, zone = usage_breakdown(reader, directory, profile_id, days, filters)
        data = breakdown_data(report, zone.zone)
        return ENCODER.encode(BreakdownAnswer(filters_metadata(body), data))

    return await read(call, work)


async def get_refusals(call: Call) -> Answer:
    """`/api_keys/refusals`."""
    body = call.body(RefusedCallsRequest)
    days = date_range(body.start_date, body.end_date)
    profile_id, directory = call.caller.profile_id, call.context.directory
    key_ids = selected_keys(directory, profile_id, body.keys)

    def work(reader: Reader) -> bytes:
        found = read_refused_calls(reader, profile_id, days, key_ids)
        data = refusals_data(found, call.language)
        return ENCODER.encode(RefusedCallsAnswer(filters_metadata(body), data))

    return await read(call, work)


HANDLERS: dict[str, Handler] = {
    usage.DAILY.operation_id: get_daily,
    usage.BREAKDOWN.operation_id: get_breakdown,
    refusals.REFUSALS.operation_id: get_refusals,
}
