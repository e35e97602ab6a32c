"""The demo's other customers, without traffic: whoever runs the service has more than one.

One has used up what it bought, and one is suspended.
"""

from __future__ import annotations

from decimal import Decimal

from farebox.engine.sync_link import SyncLink
from farebox.service.forms.plan import Limits, PlanCreate, PlanData, WindowLimits
from farebox.service.forms.workspace import WorkspaceChange, WorkspaceCreate, WorkspaceData

# It has no credits of its own: what is used must be bought before.
PLAN = PlanCreate(
    slug="pay_as_you_go",
    name="Pay as you go",
    credits_per_month=Decimal(0),
    limits=Limits(api=WindowLimits(hour=100, day=500)),
)
NEIGHBOURS = (
    WorkspaceCreate(
        name="Globex",
        plan=PLAN.slug,
        timezone="America/New_York",
        owner_nickname="Maria Silva",
        owner_email="maria@globex.example",
    ),
    WorkspaceCreate(
        name="Initech",
        plan=PLAN.slug,
        timezone="Asia/Seoul",
        owner_nickname="Minji Park",
        owner_email="minji@initech.example",
    ),
)


def make_neighbours(link: SyncLink, actor: str) -> None:
    """Make their plan and them, and suspend the last."""
    link.call("plans.create", PLAN, PlanData, actor=actor)
    made = [link.call("workspaces.create", one, WorkspaceData, actor=actor) for one in NEIGHBOURS]
    change = WorkspaceChange(profile_id=made[-1].profile_id, status="suspended")
    link.call("workspaces.change", change, WorkspaceData, actor=actor)
