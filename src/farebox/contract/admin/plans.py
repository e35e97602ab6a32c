"""Plans and log types in the admin API."""

from __future__ import annotations

from msgspec import Struct

from farebox.contract.admin.common import (
    ROOT,
    STAMP,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    read,
    write,
)
from farebox.contract.wire import JsonObject
from farebox.core import errors
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData, LogTypePatch
from farebox.service.forms.plan import PlanCreate, PlanData, PlanPatch

_PLAN: JsonObject = {
    "slug": "gold",
    "name": "Gold",
    "credits_per_month": 2000,
    "limits": {
        "api": {"hour": 1000, "day": 10000, "month": None},
        "portal": {"hour": None, "day": None, "month": None},
    },
    "requests_per_minute": 300,
    "requests_per_second": 20,
    "is_api_access_available": True,
    "is_quota_sharing_available": True,
    "prices": {"people_search": 2.5},
    "scheduled_prices": [],
    "unmapped": "deny",
    "is_shadow": False,
    "created_at": STAMP,
}
_PLAN_SENT: JsonObject = {
    "slug": "gold",
    "name": "Gold",
    "credits_per_month": 2000,
    "limits": {"api": {"hour": 1000, "day": 10000}},
    "requests_per_minute": 300,
    "requests_per_second": 20,
    "prices": {"people_search": 2.5},
}
_LOG_TYPE: JsonObject = {
    "log_type_id": 1,
    "slug": "people_search",
    "name": "People Search",
    "credits": 3,
    "hold_credits": 3,
    "method": "POST",
    "path": "/people/search",
    "scheduled_prices": [{"credits": 4, "hold_credits": 4, "valid_from": "2026-06-01T00:00:00Z"}],
    "created_at": STAMP,
}


class PlansAnswer(Struct, frozen=True):
    """A page of plans."""

    data: list[PlanData]
    next_cursor: NextCursor


class LogTypesAnswer(Struct, frozen=True):
    """A page of log types."""

    data: list[LogTypeData]
    next_cursor: NextCursor


LOG_TYPES_CREATE = write(
    "admin_log_types_create",
    "POST",
    f"{ROOT}/log_types",
    Texts(
        "Create a Log Type",
        "Create a log type, which is a priced endpoint",
        "Its price holds at once, and for requests of earlier times too. A path template that ties "
        "with that of another log type is refused.",
    ),
    Form(
        LogTypeCreate,
        {
            "slug": "people_search",
            "name": "People Search",
            "credits": 3,
            "method": "POST",
            "path": "/people/search",
        },
    ),
    Form(LogTypeData, {**_LOG_TYPE, "scheduled_prices": []}),
    errors.ALREADY_EXISTS,
    errors.PATH_TIE,
)
LOG_TYPES_LIST = read(
    "admin_log_types_list",
    f"{ROOT}/log_types",
    Texts("List the Log Types", "List the log types", "All log types, the oldest first."),
    Form(LogTypesAnswer, {"data": [_LOG_TYPE], "next_cursor": None}),
    query=PageQuery,
)
LOG_TYPES_GET = read(
    "admin_log_types_get",
    f"{ROOT}/log_types/{{slug}}",
    Texts(
        "Get a Log Type",
        "Get a log type",
        "The log type with this slug, with the price that is valid now and those to come.",
    ),
    Form(LogTypeData, _LOG_TYPE),
)
LOG_TYPES_CHANGE = write(
    "admin_log_types_change",
    "PATCH",
    f"{ROOT}/log_types/{{slug}}",
    Texts(
        "Change a Log Type",
        "Change a log type, or its price from an instant on",
        "What isn't sent stays as it is. A new price holds for requests made from `valid_from` on; "
        "what was recorded keeps its price.",
    ),
    Form(LogTypePatch, {"credits": 4, "valid_from": "2026-06-01T00:00:00Z"}),
    Form(LogTypeData, _LOG_TYPE),
    errors.PATH_TIE,
)
PLANS_CREATE = write(
    "admin_plans_create",
    "POST",
    f"{ROOT}/plans",
    Texts(
        "Create a Plan",
        "Create a plan",
        "What the workspaces on it may do, and the credits that each of their periods begins with.",
    ),
    Form(PlanCreate, _PLAN_SENT),
    Form(PlanData, _PLAN),
    errors.ALREADY_EXISTS,
    errors.UNKNOWN_LOG_TYPE,
)
PLANS_LIST = read(
    "admin_plans_list",
    f"{ROOT}/plans",
    Texts("List the Plans", "List the plans", "All plans, the oldest first."),
    Form(PlansAnswer, {"data": [_PLAN], "next_cursor": None}),
    query=PageQuery,
)
PLANS_GET = read(
    "admin_plans_get",
    f"{ROOT}/plans/{{slug}}",
    Texts(
        "Get a Plan",
        "Get a plan",
        "The plan with this slug, with the prices that are valid now and those to come.",
    ),
    Form(PlanData, _PLAN),
)
PLANS_CHANGE = write(
    "admin_plans_change",
    "PATCH",
    f"{ROOT}/plans/{{slug}}",
    Texts(
        "Change a Plan",
        "Change a plan, or its prices from an instant on",
        "What isn't sent stays as it is. New limits hold at once; new monthly credits count from "
        "each workspace's next period.",
    ),
    Form(PlanPatch, {"limits": {"api": {"day": 20000}}, "prices": {"people_search": 2}}),
    Form(PlanData, _PLAN),
    errors.UNKNOWN_LOG_TYPE,
)

OPERATIONS = (
    LOG_TYPES_CREATE,
    LOG_TYPES_LIST,
    LOG_TYPES_GET,
    LOG_TYPES_CHANGE,
    PLANS_CREATE,
    PLANS_LIST,
    PLANS_GET,
    PLANS_CHANGE,
)
