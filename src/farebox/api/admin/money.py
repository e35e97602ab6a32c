"""Grants, corrections and statements."""

from __future__ import annotations

from farebox.api.admin.common import joined, page_of, profile_id_of, read, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import money as contract
from farebox.service.corrections import list_corrections
from farebox.service.forms.money import (
    CorrectionCreate,
    CorrectionData,
    CorrectionMake,
    GrantCreate,
    GrantData,
    GrantMake,
)
from farebox.service.grants import list_grants
from farebox.service.statement import read_statement


async def create_grant(call: Call) -> Answer:
    """Give credits."""
    form = joined(GrantMake, call.body(GrantCreate), profile_id=profile_id_of(call))
    return await write(call, "grants.create", form, GrantData)


async def list_all_grants(call: Call) -> Answer:
    """A page of grants."""
    profile_id, at = profile_id_of(call), page_of(call)
    found = await read(call, lambda reader: list_grants(reader, profile_id, at))
    return contract.GrantsAnswer(*found)


async def create_correction(call: Call) -> Answer:
    """Correct what a request cost."""
    body = call.body(CorrectionCreate)
    form = joined(CorrectionMake, body, profile_id=profile_id_of(call))
    return await write(call, "corrections.create", form, CorrectionData)


async def list_all_corrections(call: Call) -> Answer:
    """A page of corrections."""
    profile_id, at = profile_id_of(call), page_of(call)
    found = await read(call, lambda reader: list_corrections(reader, profile_id, at))
    return contract.CorrectionsAnswer(*found)


async def get_statement(call: Call) -> Answer:
    """The statement of a period."""
    profile_id, period = profile_id_of(call), call.query(contract.StatementQuery).period
    return await read(call, lambda reader: read_statement(reader, profile_id, period, call.now_ms))


HANDLERS: dict[str, Handler] = {
    contract.GRANTS_CREATE.operation_id: create_grant,
    contract.GRANTS_LIST.operation_id: list_all_grants,
    contract.CORRECTIONS_CREATE.operation_id: create_correction,
    contract.CORRECTIONS_LIST.operation_id: list_all_corrections,
    contract.STATEMENT_GET.operation_id: get_statement,
}
