"""Refusals: the list, and the counts of a workspace."""

from __future__ import annotations

from farebox.api.admin.common import profile_id_of, read
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import refusals as contract
from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.phrase import Phrase
from farebox.service.pages import KEY_END, turn
from farebox.service.refusal_counts import read_refusal_counts
from farebox.service.refusal_list import RefusalFilter, list_refusals


async def list_all_refusals(call: Call) -> Answer:
    """A page of refusals."""
    query = call.query(contract.RefusalsQuery)
    if query.profile_id is not None and not 0 < query.profile_id < KEY_END:
        raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
    wanted = RefusalFilter(query.profile_id, query.key_id, query.denied_by)
    at = turn(query.cursor, query.limit)
    found = await read(call, lambda reader: list_refusals(reader, wanted, at))
    return contract.RefusalsAnswer(*found)


async def get_refusal_counts(call: Call) -> Answer:
    """The counts of a workspace."""
    profile_id, days = profile_id_of(call), call.query(contract.RefusalCountsQuery)
    return await read(
        call,
        lambda reader: read_refusal_counts(
            reader, profile_id, days.start_date, days.end_date, call.now_ms
        ),
    )


HANDLERS: dict[str, Handler] = {
    contract.REFUSALS_LIST.operation_id: list_all_refusals,
    contract.REFUSAL_COUNTS_GET.operation_id: get_refusal_counts,
}
