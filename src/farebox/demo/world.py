"""The demo's world: what a provider sets up, and the traffic of one customer.

Everything goes the way it goes in earnest: commands and records sent to a recorder, whose clock
goes through the days, and no write beside it. The database must be new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from farebox.core.calendar import zone_of
from farebox.core.credits import to_number
from farebox.core.identity import format_uuid
from farebox.core.key import Secret
from farebox.core.request import MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.demo.callers import CALLERS
from farebox.demo.calls import Call
from farebox.demo.captured import captured_calls
from farebox.demo.endpoints import ENDPOINTS
from farebox.demo.neighbours import make_neighbours
from farebox.demo.refused import RefusedKeys, refusals_note
from farebox.demo.replay import OnProgress, Replay
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.sync_link import SyncLink
from farebox.service.audit import audit_keep, run_audit
from farebox.service.forms.alert import AlertData, AlertMake
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import KeyMade, KeyMake, KeyRevoke, TokenCreate, TokenMade
from farebox.service.forms.link import LinkBegun, LinkMake
from farebox.service.forms.log_type import LogTypeCreate, LogTypeData
from farebox.service.forms.money import CorrectionData, CorrectionMake, GrantData, GrantMake
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
REVOKED_KEY = "Trial"


class World(NamedTuple):
    """What was made.

    The key is that of the first caller, the busiest; `query_log_id` is of its last request, which
    has its headers and bodies as some dozen before it. The link is to be signed where it is shown.
    """

    profile_id: int
    key_id: str
    key: Secret
    admin_token: Secret
    link: LinkBegun
    query_log_id: str
    requests: int


def make_world(
    link: SyncLink,
    reader: Reader,
    calls: Iterable[Call],
    *,
    start_ms: int,
    now_ms: int,
    on_progress: OnProgress,
) -> World:
    """Set everything up as it was at `start_ms`, and let time pass with the calls up to `now_ms`.

    `link` leads to a recorder in its past, whose clock stands at the start.
    """
    token = link.call(
        "tokens.create", TokenCreate(name="Demo", scope="admin"), TokenMade, actor=ACTOR
    )
    _make_offer(link)
    workspace = link.call("workspaces.create", WORKSPACE, WorkspaceData, actor=ACTOR)
    profile_id = workspace.profile_id
    grant = GrantMake(profile_id=profile_id, credits=TOP_UP_CREDITS, kind="topup")
    link.call("grants.create", grant, GrantData, actor=ACTOR)
    key = _make_keys(link, workspace)[0]
    make_neighbours(link, ACTOR)
    directory = Directory()
    directory.load(reader)
    zone = zone_of(workspace.timezone)
    packer = Packer(directory, SystemEntropy())
    replay = Replay(link, packer, zone, now_ms)
    replay.run(calls, directory.keys_of(profile_id), on_progress)
    keys = {one.name: one for one in directory.keys_of(profile_id)}
    rows, captures = zip(*captured_calls(packer, keys, now_ms), strict=True)
    link.record(list(rows), captures)
    _refuse(link, directory, keys, start_ms, now_ms)
    _keep_books(link, reader, profile_id, rows)
    return World(
        profile_id=profile_id,
        key_id=key.key_id,
        key=Secret(key.key or ""),
        admin_token=Secret(token.token or ""),
        link=_make_link(link, workspace),
        query_log_id=format_uuid(rows[-1].query_log_id),
        requests=replay.requests + len(rows),
    )


def _refuse(
    link: SyncLink, directory: Directory, keys: dict[str, ApiKey], from_ms: int, now_ms: int
) -> None:
    """Tell of the calls that were refused."""
    assert PLAN.requests_per_second
    refused = RefusedKeys(keys[REVOKED_KEY], keys[CALLERS[1].key_name])
    per_second = PLAN.requests_per_second * WORKSPACE.licences
    note = refusals_note(directory, refused, per_second, from_ms, now_ms)
    link.call("refusals.note", note, Nothing, actor=ACTOR)


def _keep_books(
    link: SyncLink, reader: Reader, profile_id: int, rows: Sequence[MeteredRequest]
) -> None:
    """Give back what one of the last calls has cost, watch the credits, and audit all of it."""
    dear = max(rows, key=lambda row: row.credits_micro)
    correction = CorrectionMake(
        profile_id=profile_id,
        request_id=format_uuid(dear.query_log_id),
        credits=-Decimal(to_number(dear.credits_micro)),
        reason="The phone number was out of service.",
    )
    link.call("corrections.create", correction, CorrectionData, actor=ACTOR)
    alert = AlertMake(profile_id=profile_id, kind="credits", thresholds=[25, 50, 80, 100])
    link.call("alerts.create", alert, AlertData, actor=ACTOR)
    link.call("audits.keep", audit_keep(run_audit(reader)), Nothing, actor=ACTOR)


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
    """A key for each caller, and one that is revoked; the owner has a colleague."""
    nickname, email = TEAM_USER
    made = UserMake(profile_id=workspace.profile_id, nickname=nickname, email=email)
    user = link.call("users.create", made, UserData, actor=ACTOR)
    keys = [
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
    trial = KeyMake(profile_id=workspace.profile_id, name=REVOKED_KEY)
    ended = link.call("keys.create", trial, KeyMade, actor=ACTOR)
    revoke = KeyRevoke(profile_id=workspace.profile_id, key_id=ended.key_id)
    link.call("keys.revoke", revoke, Nothing, actor=ACTOR)
    return keys
