"""The demo's world: what a provider sets up, and the traffic of one customer.

Everything goes the way it goes in earnest: commands and records sent to the recorder, and no
write beside it. The database must be new.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from farebox.core.calendar import zone_of
from farebox.core.identity import format_uuid
from farebox.core.key import Secret
from farebox.demo.callers import CALLERS
from farebox.demo.captured import captured_call
from farebox.demo.endpoints import ENDPOINTS
from farebox.demo.neighbours import make_neighbours
from farebox.demo.replay import OnProgress, Replay
from farebox.demo.traffic import SEED, make_traffic
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.sync_link import SyncLink
from farebox.service.forms.alert import AlertData, AlertMake
from farebox.service.forms.key import KeyMade, KeyMake, TokenCreate, TokenMade
from farebox.service.forms.link import LinkBegun, LinkMake
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData
from farebox.service.forms.money import GrantData, GrantMake
from farebox.service.forms.plan import Limits, PlanCreate, PlanData, WindowLimits
from farebox.service.forms.workspace import UserData, UserMake, WorkspaceCreate, WorkspaceData
from farebox.service.record import Packer
from farebox.store.contract import Reader

ACTOR = "demo"
TIMEZONE = "Europe/Berlin"
LINK_SECONDS = 7 * 24 * 3600
TOP_UP_CREDITS = Decimal(25_000)

PLAN = PlanCreate(
    slug="growth",
    name="Growth",
    credits_per_month=Decimal(180_000),
    limits=Limits(
        api=WindowLimits(hour=1_000, day=10_000, month=100_000),
        portal=WindowLimits(hour=300, day=3_000, month=30_000),
    ),
    requests_per_minute=240,
    requests_per_second=20,
    unmapped="allow",
)
WORKSPACE = WorkspaceCreate(
    name="Acme Corporation",
    description="Sells everything a coyote needs.",
    plan=PLAN.slug,
    timezone=TIMEZONE,
    licences=2,
    is_quota_sharing_enabled=True,
    owner_nickname="Ada Okafor",
    owner_email="ada@acme.example",
)


TEAM_USER = ("Jonas Weber", "jonas@acme.example")


class World(NamedTuple):
    """What was made.

    The key is that of the first caller, the busiest; `query_log_id` is of its last request, which
    has its headers and bodies. The link is to be signed where it is shown.
    """

    profile_id: int
    key_id: str
    key: Secret
    admin_token: Secret
    link: LinkBegun
    query_log_id: str
    requests: int


def make_world(
    link: SyncLink, reader: Reader, *, days: int, now_ms: int, on_progress: OnProgress
) -> World:
    """Set everything up, and import the traffic of the last days, up to `now_ms`."""
    token = link.call(
        "tokens.create", TokenCreate(name="Demo", scope="admin"), TokenMade, actor=ACTOR
    )
    _make_offer(link)
    workspace = link.call("workspaces.create", WORKSPACE, WorkspaceData, actor=ACTOR)
    grant = GrantMake(profile_id=workspace.profile_id, credits=TOP_UP_CREDITS, kind="topup")
    link.call("grants.create", grant, GrantData, actor=ACTOR)
    key = _make_keys(link, workspace)[0]
    directory = Directory()
    directory.load(reader)
    calls = make_traffic(SEED, days, now_ms, zone_of(workspace.timezone))
    packer = Packer(directory, SystemEntropy())
    replay = Replay(link, packer, now_ms)
    replay.run(calls, directory.keys_of(workspace.profile_id), on_progress)
    last, capture = captured_call(packer, directory.keys[key.key_id], now_ms)
    link.record([last], [capture], is_import=True)
    alert = AlertMake(profile_id=workspace.profile_id, kind="credits", thresholds=[25, 50, 80, 100])
    link.call("alerts.create", alert, AlertData, actor=ACTOR)
    make_neighbours(link, ACTOR)
    return World(
        profile_id=workspace.profile_id,
        key_id=key.key_id,
        key=Secret(key.key or ""),
        admin_token=Secret(token.token or ""),
        link=_make_link(link, workspace),
        query_log_id=format_uuid(last.query_log_id),
        requests=replay.requests + 1,
    )


def _make_offer(link: SyncLink) -> None:
    """What the provider sells: priced endpoints, and a plan."""
    for endpoint in ENDPOINTS:
        log_type = LogTypeCreate(
            slug=endpoint.slug,
            name=endpoint.name,
            credits=Decimal(endpoint.credits),
            hold_credits=Decimal(endpoint.hold_credits),
            method=endpoint.method,
            path=endpoint.path,
        )
        link.call("log_types.create", log_type, LogTypeData, actor=ACTOR)
    link.call("plans.create", PLAN, PlanData, actor=ACTOR)


def _make_link(link: SyncLink, workspace: WorkspaceData) -> LinkBegun:
    """A link that lets the customer manage their keys."""
    made = LinkMake(profile_id=workspace.profile_id, role="manage", expires_in_seconds=LINK_SECONDS)
    return link.call("links.create", made, LinkBegun, actor=ACTOR)


def _make_keys(link: SyncLink, workspace: WorkspaceData) -> list[KeyMade]:
    """A key for each caller; the owner has a colleague."""
    nickname, email = TEAM_USER
    made = UserMake(profile_id=workspace.profile_id, nickname=nickname, email=email)
    user = link.call("users.create", made, UserData, actor=ACTOR)
    return [
        link.call(
            "keys.create",
            KeyMake(
                profile_id=workspace.profile_id,
                user_id=workspace.owner_user_id if caller.is_owner else user.user_id,
                name=caller.key_name,
                channel=caller.channel,
            ),
            KeyMade,
            actor=ACTOR,
        )
        for caller in CALLERS
    ]
