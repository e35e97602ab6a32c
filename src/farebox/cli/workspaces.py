"""`farebox workspaces`: the customers of the provider."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from farebox.cli.options import AMOUNT, ProfileId, amount_of, amount_or_none, amount_sent, sent
from farebox.cli.output import AsJson, show, show_list
from farebox.cli.session import DATABASE_DEFAULT, Database, Session
from farebox.service.forms.workspace import WorkspaceChange, WorkspaceCreate, WorkspaceData
from farebox.service.workspaces import list_workspaces, read_workspace

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("profile_id", "name", "plan", "next_plan", "timezone", "licences", "status", "uid")
Sharing = Annotated[
    bool | None,
    typer.Option("--quota-sharing/--no-quota-sharing", help="Whether its users share one quota."),
]
Status = Annotated[
    Literal["active", "suspended"] | None, typer.Option(help="Whether its keys work.")
]
AnchorDay = Annotated[
    int | None, typer.Option(help="Day of the month on which its periods begin.", min=1, max=31)
]
Licences = Annotated[int | None, typer.Option(help="How many users it may have.", min=1)]
TopUp = Annotated[
    bool | None,
    typer.Option(
        "--auto-top-up/--no-auto-top-up",
        help="Whether credits are topped up by themselves; both amounts are needed for that.",
    ),
]
TopUpCredit = Annotated[
    str | None,
    typer.Option(parser=amount_or_none, metavar=AMOUNT, help="How many credits a top-up brings."),
]
TopUpBelow = Annotated[
    str | None,
    typer.Option(
        parser=amount_or_none, metavar=AMOUNT, help="The balance below which a top-up happens."
    ),
]
TopUpGranted = Annotated[
    bool | None,
    typer.Option(
        "--auto-top-up-granted/--no-auto-top-up-granted",
        help="Whether a top-up grants its credits at once, or the webhook only tells of it.",
    ),
]
Timezone = Annotated[str | None, typer.Option(help="IANA timezone, such as Europe/Berlin.")]
Description = Annotated[str | None, typer.Option(help="What it is.")]


@app.command()
def create(  # noqa: PLR0913 - an option for each field
    name: Annotated[str, typer.Argument(help="Its name, at most 55 characters.")],
    *,
    plan: Annotated[str, typer.Option(help="Slug of its plan.")],
    timezone: Timezone = "UTC",
    licences: Licences = 1,
    quota_sharing: Sharing = False,
    description: Description = "",
    anchor_day: AnchorDay = 1,
    status: Status = "active",
    auto_top_up: TopUp = False,
    auto_top_up_credit: TopUpCredit = None,
    auto_top_up_balance_fall_below: TopUpBelow = None,
    auto_top_up_granted: TopUpGranted = False,
    owner_nickname: Annotated[str | None, typer.Option(help="Name of its first user.")] = None,
    owner_email: Annotated[str | None, typer.Option(help="Address of its first user.")] = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Create a workspace, with its owner and its first plan credits."""
    form = WorkspaceCreate(
        name=name,
        plan=plan,
        timezone=timezone or "UTC",
        licences=licences or 1,
        is_quota_sharing_enabled=bool(quota_sharing),
        description=description or "",
        anchor_day=anchor_day or 1,
        status=status or "active",
        is_auto_top_up_credits_enabled=bool(auto_top_up),
        auto_top_up_credit=amount_of(auto_top_up_credit),
        auto_top_up_balance_fall_below=amount_of(auto_top_up_balance_fall_below),
        is_auto_top_up_granted=bool(auto_top_up_granted),
        owner_nickname=owner_nickname,
        owner_email=owner_email,
    )
    show(Session(database).call("workspaces.create", form, WorkspaceData), as_json=as_json)


@app.command()
def change(  # noqa: PLR0913 - an option for each field
    profile_id: ProfileId,
    *,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    plan: Annotated[str | None, typer.Option(help="Slug of its plan.")] = None,
    timezone: Timezone = None,
    licences: Licences = None,
    quota_sharing: Sharing = None,
    description: Description = None,
    anchor_day: AnchorDay = None,
    status: Status = None,
    auto_top_up: TopUp = None,
    auto_top_up_credit: TopUpCredit = None,
    auto_top_up_balance_fall_below: TopUpBelow = None,
    auto_top_up_granted: TopUpGranted = None,
    database: Database = DATABASE_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Change a workspace. A plan with fewer monthly credits waits for the next period."""
    form = WorkspaceChange(
        profile_id=profile_id,
        name=sent(name),
        plan=sent(plan),
        timezone=sent(timezone),
        licences=sent(licences),
        is_quota_sharing_enabled=sent(quota_sharing),
        description=sent(description),
        anchor_day=sent(anchor_day),
        status=sent(status),
        is_auto_top_up_credits_enabled=sent(auto_top_up),
        auto_top_up_credit=amount_sent(auto_top_up_credit),
        auto_top_up_balance_fall_below=amount_sent(auto_top_up_balance_fall_below),
        is_auto_top_up_granted=sent(auto_top_up_granted),
    )
    show(Session(database).call("workspaces.change", form, WorkspaceData), as_json=as_json)


@app.command("list")
def list_all(*, database: Database = DATABASE_DEFAULT, as_json: AsJson = False) -> None:
    """List the workspaces."""
    rows = Session(database).read_all(list_workspaces)
    show_list(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_one(
    profile_id: ProfileId, *, database: Database = DATABASE_DEFAULT, as_json: AsJson = False
) -> None:
    """Show a workspace."""
    data = Session(database).read(lambda reader: read_workspace(reader, profile_id))
    show(data, as_json=as_json)
