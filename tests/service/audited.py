"""A small provider with one of everything that an audit looks at, in two workspaces alike.

Each has requests of two keys in neighbouring quarter hours, imports of a former period, a capture,
corrections both ways, a grant that expired, a debt that was repaid, two periods, a complete second
zone and a third that is being built.
"""

from __future__ import annotations

from collections.abc import Sequence

from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, to_iso_seconds
from farebox.core.request import Capture, MeteredRequest
from tests.support.worlds import World

MICRO = 1_000_000
ALIKE = 2


def fill(world: World) -> None:
    """Let it all happen."""
    for slug in ("people_search", "company_search", "people_redeem"):
        world.log_type(slug)
    world.call("plans.create", slug="basic", name="Basic", credits_per_month=40)
    profile_ids = [world.workspace(timezone="Asia/Kathmandu") for _ in range(ALIKE)]
    for profile_id in profile_ids:
        _first_period(world, profile_id, [world.key(profile_id), world.key(profile_id)])
    world.advance(days=40)
    for profile_id in profile_ids:
        _second_period(world, profile_id)
    world.settle()
    for profile_id in profile_ids:
        world.call("workspaces.change", profile_id=profile_id, timezone="Europe/Berlin")
        assert world.recorder.tick() == 0


def _first_period(world: World, profile_id: int, key_ids: Sequence[str]) -> None:
    now_ms = world.now_ms
    rows = [
        _row(world, profile_id, key_ids[0], now_ms + MS_PER_MINUTE + seconds * 1_000)
        for seconds in range(3)
    ]
    captures = [Capture(profile_id, rows[0].query_log_id, "{}", "{}", "{}")]
    world.record(rows, captures)
    late = now_ms + 16 * MS_PER_MINUTE
    world.record([_row(world, profile_id, key_id, late) for key_id in key_ids])
    free = _row(world, profile_id, key_ids[1], late, log_type_id=0)._replace(channel="portal")
    world.record([free._replace(credits_micro=0), _row(world, profile_id, key_ids[1], late)])
    world.call(
        "grants.create",
        profile_id=profile_id,
        credits=10,
        kind="topup",
        expires_at=to_iso_seconds(now_ms + 5 * MS_PER_DAY),
    )
    _correct(world, rows[0], 2)
    _correct(world, rows[1], -7)
    # More than there is: the workspace owes, and the next grant repays.
    world.record([_row(world, profile_id, key_ids[0], now_ms)._replace(credits_micro=90 * MICRO)])
    world.call("grants.create", profile_id=profile_id, credits=80, kind="promotion")
    world.call(
        "grants.create",
        profile_id=profile_id,
        credits=5,
        kind="topup",
        expires_at=to_iso_seconds(now_ms + 5 * MS_PER_DAY),
    )


def _second_period(world: World, profile_id: int) -> None:
    key_id = world.select("select key_id from keys where profile_id = ?", profile_id)[0][0]
    former = [
        _row(world, profile_id, key_id, world.now_ms - days * MS_PER_DAY) for days in (42, 60, 80)
    ]
    world.record(former, is_import=True)
    recent = [_row(world, profile_id, key_id, world.now_ms - h * MS_PER_HOUR) for h in range(9)]
    world.record(recent)
    world.record([_row(world, profile_id, key_id, world.now_ms)])
    world.call("workspaces.change", profile_id=profile_id, timezone="America/New_York")


def _row(
    world: World, profile_id: int, key_id: str, time_ms: int, *, log_type_id: int = 2
) -> MeteredRequest:
    return world.row(
        profile_id, key_id, time_ms=time_ms, log_type_id=log_type_id, credits_micro=3 * MICRO
    )


def _correct(world: World, row: MeteredRequest, credits: int) -> None:
    world.call(
        "corrections.create",
        profile_id=row.profile_id,
        request_id=format_uuid(row.query_log_id),
        credits=credits,
        reason="It was wrong.",
    )
