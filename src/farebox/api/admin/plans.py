"""Plans and log types: create, list, get and change."""

from __future__ import annotations

from farebox.api.admin.common import joined, page_of, read, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import plans as contract
from farebox.service.forms.log_type import (
    LogTypeChange,
    LogTypeCreate,
    LogTypeData,
    LogTypePatch,
)
from farebox.service.forms.plan import PlanChange, PlanCreate, PlanData, PlanPatch
from farebox.service.log_types import list_log_types, read_log_type
from farebox.service.plans import list_plans, read_plan


async def create_log_type(call: Call) -> Answer:
    """Create a log type."""
    return await write(call, "log_types.create", call.body(LogTypeCreate), LogTypeData)


async def list_all_log_types(call: Call) -> Answer:
    """A page of log types."""
    at = page_of(call)
    found = await read(call, lambda reader: list_log_types(reader, at, call.now_ms))
    return contract.LogTypesAnswer(*found)


async def get_log_type(call: Call) -> Answer:
    """A log type."""
    return await read(call, lambda reader: read_log_type(reader, call.path("slug"), call.now_ms))


async def change_log_type(call: Call) -> Answer:
    """Change a log type."""
    form = joined(LogTypeChange, call.body(LogTypePatch), slug=call.path("slug"))
    return await write(call, "log_types.change", form, LogTypeData)


async def create_plan(call: Call) -> Answer:
    """Create a plan."""
    return await write(call, "plans.create", call.body(PlanCreate), PlanData)


async def list_all_plans(call: Call) -> Answer:
    """A page of plans."""
    at = page_of(call)
    found = await read(call, lambda reader: list_plans(reader, at, call.now_ms))
    return contract.PlansAnswer(*found)


async def get_plan(call: Call) -> Answer:
    """A plan."""
    return await read(call, lambda reader: read_plan(reader, call.path("slug"), call.now_ms))


async def change_plan(call: Call) -> Answer:
    """Change a plan."""
    form = joined(PlanChange, call.body(PlanPatch), slug=call.path("slug"))
    return await write(call, "plans.change", form, PlanData)


HANDLERS: dict[str, Handler] = {
    contract.LOG_TYPES_CREATE.operation_id: create_log_type,
    contract.LOG_TYPES_LIST.operation_id: list_all_log_types,
    contract.LOG_TYPES_GET.operation_id: get_log_type,
    contract.LOG_TYPES_CHANGE.operation_id: change_log_type,
    contract.PLANS_CREATE.operation_id: create_plan,
    contract.PLANS_LIST.operation_id: list_all_plans,
    contract.PLANS_GET.operation_id: get_plan,
    contract.PLANS_CHANGE.operation_id: change_plan,
}
