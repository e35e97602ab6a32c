"""Plans: their list, a new one, and one of them with its limits and prices."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import (
    PRICES,
    Typed,
    read_change,
    read_struct,
    typed_of,
)
from farebox.dashboard.visit import Visit
from farebox.service.forms.plan import PlanChange, PlanCreate, PlanData
from farebox.service.plans import list_plans, read_plan
from farebox.store.contract import Reader

_LIMITS = tuple(
    f"limits.{channel}.{window}"
    for channel in ("api", "portal")
    for window in ("hour", "day", "month")
)
_TERMS = (
    "name",
    "credits_per_month",
    *_LIMITS,
    "requests_per_minute",
    "requests_per_second",
    "is_api_access_available",
    "is_quota_sharing_available",
    "unmapped",
    "is_shadow",
    PRICES,
)
_BLANK: Typed = {
    **dict.fromkeys(("slug", *_TERMS), ""),
    "is_api_access_available": True,
    "is_quota_sharing_available": True,
    "unmapped": "deny",
    "is_shadow": False,
}


async def show_plans(visit: Visit) -> Response:
    """The list."""

    def work(reader: Reader) -> Response:
        found = list_plans(reader, turn_of(visit), visit.now_ms)
        return visit.page("operator/plans.html", found=found, said=visit.query("said"))

    return await visit.read(work)


async def show_new_plan(visit: Visit, status: int = 200) -> Response:
    """The form of a new one."""
    return await visit.show(
        "operator/plan.html",
        status=status,
        plan=None,
        typed=_BLANK,
        log_types=visit.desk.directory.log_types_by_name(),
    )


async def make_plan(visit: Visit) -> Response:
    """Make one."""
    try:
        form = read_struct(visit, PlanCreate, ("slug", *_TERMS))
        await visit.write("plans.create", form, PlanData)
    except FareboxError as error:
        return await show_new_plan(visit, blame(visit, error))
    return visit.go(f"{visit.root}/plans?said=made")


async def show_plan(visit: Visit, status: int = 200) -> Response:
    """One of them, to be changed."""
    slug = visit.path("slug")

    def work(reader: Reader) -> Response:
        plan = read_plan(reader, slug, visit.now_ms)
        return visit.page(
            "operator/plan.html",
            status=status,
            plan=plan,
            typed=typed_of(plan, visit.zone),
            log_types=visit.desk.directory.log_types_by_name(),
        )

    return await visit.read(work)


async def change_plan(visit: Visit) -> Response:
    """Change one."""
    slug = visit.path("slug")
    plan = await visit.read(lambda reader: read_plan(reader, slug, visit.now_ms))
    names = (*_TERMS, *(["valid_from"] if visit.form.text("valid_from") else []))
    try:
        form = read_change(visit, PlanChange, names, typed_of(plan, visit.zone), slug=slug)
        await visit.write("plans.change", form, PlanData)
    except FareboxError as error:
        return await show_plan(visit, blame(visit, error))
    return visit.go(f"{visit.root}/plans?said=changed")
