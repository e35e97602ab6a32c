"""Plans: make, change and read them.

A plan's first prices hold for all time; a later one begins at an instant that is not past, so that
no request is priced in two ways. New monthly credits count from each workspace's next period.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from farebox.core.credits import to_number
from farebox.core.errors import ALREADY_EXISTS, NOT_FOUND, UNKNOWN_LOG_TYPE, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.phrase import Phrase
from farebox.core.plan import Unmapped
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.plan import (
    Limits,
    LimitsData,
    PlanChange,
    PlanCreate,
    PlanData,
    ScheduledPlanPrice,
    WindowLimitsData,
)
from farebox.service.pages import Page, Turn, page
from farebox.store.contract import Reader

NAME_LENGTH_MAX = 200


class PlanRow(NamedTuple):
    """A plan as it is stored."""

    plan_id: int
    slug: str
    name: str
    credits_per_month_micro: int
    api_hour: int | None
    api_day: int | None
    api_month: int | None
    portal_hour: int | None
    portal_day: int | None
    portal_month: int | None
    requests_per_minute: int | None
    requests_per_second: int | None
    is_api_access_available: int
    is_quota_sharing_available: int
    unmapped: Unmapped
    is_shadow: int
    created_at_ms: int


class _PriceRow(NamedTuple):
    slug: str
    valid_from_ms: int
    credits_micro: int


def create_plan(tx: Transaction, made: PlanCreate) -> PlanData:
    """Make a plan."""
    slug = fields.slug("slug", made.slug)
    if tx.db.one("plan_of_slug", PlanRow, slug=slug) is not None:
        raise FareboxError(ALREADY_EXISTS, what=Phrase("plan"), field="slug")
    plan = PlanRow(
        tx.db.integer("plan_last") + 1,
        slug,
        fields.text("name", made.name, NAME_LENGTH_MAX),
        fields.credits("credits_per_month", made.credits_per_month),
        *(None,) * 6,
        made.requests_per_minute,
        made.requests_per_second,
        int(made.is_api_access_available),
        int(made.is_quota_sharing_available),
        made.unmapped,
        int(made.is_shadow),
        tx.now_ms,
    )
    plan = _with_limits(plan, made.limits)
    tx.db.execute("plan_insert", **plan._asdict())
    _put_prices(tx, plan.plan_id, made.prices, valid_from_ms=0)
    tx.change("create", "plan", slug)
    return _data(tx.db, plan, tx.now_ms)


def change_plan(tx: Transaction, change: PlanChange) -> PlanData:
    """Change a plan."""
    plan = plan_row(tx.db, change.slug)
    valid_from_ms = tx.now_ms
    if change.valid_from is not UNSET:
        valid_from_ms = fields.instant_from("valid_from", change.valid_from, tx.now_ms)
        if change.prices is UNSET:
            raise fields.refuse(
                field="valid_from", expected=Phrase("given together with new prices")
            )
    plan = _with_limits(_changed(plan, change), change.limits)
    values = plan._asdict()
    del values["slug"], values["created_at_ms"]
    tx.db.execute("plan_update", **values)
    if change.prices is not UNSET:
        _put_prices(tx, plan.plan_id, change.prices, valid_from_ms)
    tx.change("change", "plan", plan.slug, detail=fields.sent(change))
    return _data(tx.db, plan, tx.now_ms)


def plan_row(reader: Reader, slug: str) -> PlanRow:
    """The plan with a slug.

    Raises:
        FareboxError: 404, there is none.
    """
    plan = reader.one("plan_of_slug", PlanRow, slug=slug)
    if plan is None:
        raise FareboxError(NOT_FOUND, what=Phrase("plan"))
    return plan


def read_plan(reader: Reader, slug: str, now_ms: int) -> PlanData:
    """The plan with a slug."""
    return _data(reader, plan_row(reader, slug), now_ms)


def list_plans(reader: Reader, at: Turn, now_ms: int) -> Page[PlanData]:
    """A page of plans, the oldest first."""
    rows = reader.rows("plans_page", PlanRow, after=at.after[0], count=at.rows)
    found = page(rows, at, lambda row: (row.plan_id, ""))
    return Page([_data(reader, row, now_ms) for row in found.data], found.next_cursor)


def _changed(plan: PlanRow, change: PlanChange) -> PlanRow:
    if change.name is not UNSET:
        plan = plan._replace(name=fields.text("name", change.name, NAME_LENGTH_MAX))
    if change.credits_per_month is not UNSET:
        micro = fields.credits("credits_per_month", change.credits_per_month)
        plan = plan._replace(credits_per_month_micro=micro)
    if change.requests_per_minute is not UNSET:
        plan = plan._replace(requests_per_minute=change.requests_per_minute)
    if change.requests_per_second is not UNSET:
        plan = plan._replace(requests_per_second=change.requests_per_second)
    if change.is_api_access_available is not UNSET:
        plan = plan._replace(is_api_access_available=int(change.is_api_access_available))
    if change.is_quota_sharing_available is not UNSET:
        plan = plan._replace(is_quota_sharing_available=int(change.is_quota_sharing_available))
    if change.unmapped is not UNSET:
        plan = plan._replace(unmapped=change.unmapped)
    if change.is_shadow is not UNSET:
        plan = plan._replace(is_shadow=int(change.is_shadow))
    return plan


def _with_limits(plan: PlanRow, limits: Limits | UnsetType) -> PlanRow:
    """The plan with the limits that were sent; the others stay."""
    if limits is UNSET:
        return plan
    values = plan._asdict()
    for channel, windows in (("api", limits.api), ("portal", limits.portal)):
        for window in ("hour", "day", "month"):
            limit = getattr(windows, window)
            if limit is not UNSET:
                values[f"{channel}_{window}"] = limit
    return PlanRow(**values)


def _put_prices(
    tx: Transaction, plan_id: int, prices: dict[str, Decimal], valid_from_ms: int
) -> None:
    for slug, credits in prices.items():
        field = f"prices.{slug}"
        log_type_id = tx.db.integer("log_type_id_of_slug", slug=slug)
        if not log_type_id:
            raise FareboxError(UNKNOWN_LOG_TYPE, field="prices", slug=slug)
        tx.db.execute(
            "plan_price_put",
            plan_id=plan_id,
            log_type_id=log_type_id,
            valid_from_ms=valid_from_ms,
            credits_micro=fields.credits(field, credits),
        )


def _data(reader: Reader, plan: PlanRow, now_ms: int) -> PlanData:
    prices = reader.rows("plan_prices_of", _PriceRow, plan_id=plan.plan_id)
    return PlanData(
        slug=plan.slug,
        name=plan.name,
        credits_per_month=to_number(plan.credits_per_month_micro),
        limits=LimitsData(
            WindowLimitsData(plan.api_hour, plan.api_day, plan.api_month),
            WindowLimitsData(plan.portal_hour, plan.portal_day, plan.portal_month),
        ),
        requests_per_minute=plan.requests_per_minute,
        requests_per_second=plan.requests_per_second,
        is_api_access_available=bool(plan.is_api_access_available),
        is_quota_sharing_available=bool(plan.is_quota_sharing_available),
        prices={p.slug: to_number(p.credits_micro) for p in prices if p.valid_from_ms <= now_ms},
        scheduled_prices=[
            ScheduledPlanPrice(p.slug, to_number(p.credits_micro), to_iso_ms(p.valid_from_ms))
            for p in prices
            if p.valid_from_ms > now_ms
        ],
        unmapped=plan.unmapped,
        is_shadow=bool(plan.is_shadow),
        created_at=to_iso_ms(plan.created_at_ms),
    )


COMMANDS = (
    Command("plans.create", PlanCreate, create_plan),
    Command("plans.change", PlanChange, change_plan, passes_dues=True),
)
