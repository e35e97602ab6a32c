"""`farebox plans`: what workspaces may do, and the credits that their periods begin with."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import typer
from msgspec import UNSET

from farebox.cli.options import LIMIT, Price, amount, limit, limit_of, limit_sent, price, sent
from farebox.cli.output import AsJson, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.plan import Limits, PlanChange, PlanCreate, PlanData, WindowLimits
from farebox.service.plans import list_plans, read_plan

app = typer.Typer(no_args_is_help=True)
COLUMNS = (
    "slug",
    "name",
    "credits_per_month",
    "requests_per_minute",
    "requests_per_second",
    "is_api_access_available",
    "is_quota_sharing_available",
    "unmapped",
    "is_shadow",
)
Slug = Annotated[str, typer.Argument(help="The plan's slug.")]
Hour = Annotated[str | None, typer.Option(parser=limit, metavar=LIMIT, help="Requests an hour.")]
Day = Annotated[str | None, typer.Option(parser=limit, metavar=LIMIT, help="Requests a day.")]
Month = Annotated[str | None, typer.Option(parser=limit, metavar=LIMIT, help="Requests a month.")]
PerMinute = Annotated[
    str | None, typer.Option(parser=limit, metavar=LIMIT, help="Requests a minute.")
]
PerSecond = Annotated[
    str | None, typer.Option(parser=limit, metavar=LIMIT, help="Requests a second.")
]
Prices = Annotated[
    list[Price] | None,
    typer.Option(
        "--price", parser=price, metavar="SLUG=CREDITS", help="A price of its own; many may stand."
    ),
]
ApiAccess = Annotated[
    bool | None, typer.Option("--api-access/--no-api-access", help="Whether the API is included.")
]
Sharing = Annotated[
    bool | None,
    typer.Option("--quota-sharing/--no-quota-sharing", help="Whether users can share one quota."),
]
Unmapped = Annotated[
    Literal["allow", "deny"] | None,
    typer.Option(help="What becomes of a call that is mapped to no log type. Default: deny."),
]
Shadow = Annotated[
    bool | None,
    typer.Option(
        "--shadow/--no-shadow", help="Whether what would be refused is let through and counted."
    ),
]
MonthlyCredits = Annotated[
    Decimal, typer.Option(parser=amount, metavar="CREDITS", help="Credits of each period.")
]


@app.command()
def create(  # noqa: PLR0913 - an option for each field
    slug: Slug,
    *,
    name: Annotated[str, typer.Option(help="Its name for people.")],
    credits_per_month: MonthlyCredits,
    api_hour: Hour = None,
    api_day: Day = None,
    api_month: Month = None,
    portal_hour: Hour = None,
    portal_day: Day = None,
    portal_month: Month = None,
    requests_per_minute: PerMinute = None,
    requests_per_second: PerSecond = None,
    api_access: ApiAccess = None,
    quota_sharing: Sharing = None,
    prices: Prices = None,
    unmapped: Unmapped = None,
    shadow: Shadow = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a plan. A limit that isn't given is none."""
    form = PlanCreate(
        slug=slug,
        name=name,
        credits_per_month=credits_per_month,
        limits=_limits((api_hour, api_day, api_month), (portal_hour, portal_day, portal_month)),
        requests_per_minute=limit_of(requests_per_minute),
        requests_per_second=limit_of(requests_per_second),
        is_api_access_available=api_access is not False,
        is_quota_sharing_available=quota_sharing is not False,
        prices=dict(prices or []),
        unmapped=unmapped or "deny",
        is_shadow=bool(shadow),
    )
    show(Session(database).call("plans.create", form, PlanData), as_json=as_json)


@app.command()
def change(  # noqa: PLR0913 - an option for each field
    slug: Slug,
    *,
    name: Annotated[str | None, typer.Option(help="Its name for people.")] = None,
    credits_per_month: MonthlyCredits | None = None,
    api_hour: Hour = None,
    api_day: Day = None,
    api_month: Month = None,
    portal_hour: Hour = None,
    portal_day: Day = None,
    portal_month: Month = None,
    requests_per_minute: PerMinute = None,
    requests_per_second: PerSecond = None,
    api_access: ApiAccess = None,
    quota_sharing: Sharing = None,
    prices: Prices = None,
    valid_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the prices begin. Default: now.")
    ] = None,
    unmapped: Unmapped = None,
    shadow: Shadow = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Change a plan. What isn't given stays as it is."""
    form = PlanChange(
        slug=slug,
        name=sent(name),
        credits_per_month=sent(credits_per_month),
        limits=_limits((api_hour, api_day, api_month), (portal_hour, portal_day, portal_month)),
        requests_per_minute=limit_sent(requests_per_minute),
        requests_per_second=limit_sent(requests_per_second),
        is_api_access_available=sent(api_access),
        is_quota_sharing_available=sent(quota_sharing),
        prices=dict(prices) if prices else UNSET,
        valid_from=sent(valid_from),
        unmapped=sent(unmapped),
        is_shadow=sent(shadow),
    )
    show(Session(database).call("plans.change", form, PlanData), as_json=as_json)


@app.command("list")
def list_all(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """List the plans."""
    session = Session(database)
    rows = session.read_all(lambda reader, at: list_plans(reader, at, session.now_ms))
    show_list(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_one(slug: Slug, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """Show a plan."""
    session = Session(database)
    data = session.read(lambda reader: read_plan(reader, slug, session.now_ms))
    show(data, as_json=as_json)


_Windows = tuple[str | None, str | None, str | None]


def _limits(api: _Windows, portal: _Windows) -> Limits:
    return Limits(api=_windows(api), portal=_windows(portal))


def _windows(windows: _Windows) -> WindowLimits:
    hour, day, month = (limit_sent(window) for window in windows)
    return WindowLimits(hour=hour, day=day, month=month)
