"""The reports once more, by brute force from raw requests: plain loops over the standard library.

Shares no code with what it checks. Answers are what the JSON of an endpoint decodes to, with
`Decimal` for what isn't whole, so that equality is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MICRO = 1_000_000
TOP = 100


class Raw(NamedTuple):
    """A recorded request, as far as a report can tell one from another. `slug` None: unmapped."""

    key_id: str
    slug: str | None
    channel: str
    credits_micro: int
    time_ms: int


class Asked(NamedTuple):
    """What a report is asked for; `keys` are ids or masks. None is no filter."""

    start: date
    end: date
    keys: Sequence[str] | None = None
    slugs: Sequence[str] | None = None
    fill_gaps: bool = False


class Listed(NamedTuple):
    """A key of the workspace."""

    key_id: str
    mask: str
    is_revoked: bool = False


class World(NamedTuple):
    """All that the reports are about. `names` are the names of the log types by slug."""

    requests: list[Raw]
    keys: list[Listed]
    names: dict[str, str]
    zone: ZoneInfo


def local_date(time_ms: int, zone: ZoneInfo) -> date:
    """The date of an instant."""
    return datetime.fromtimestamp(time_ms // 1000, zone).date()


def selected(world: World, asked: Asked) -> list[Raw]:
    """The requests that a report is about."""
    by_id = {key.key_id: key for key in world.keys}
    slugs = {None if slug == "__unknown__" else slug for slug in asked.slugs or ()}
    found = []
    for raw in world.requests:
        if not asked.start <= local_date(raw.time_ms, world.zone) <= asked.end:
            continue
        if asked.keys and not {raw.key_id, by_id[raw.key_id].mask} & set(asked.keys):
            continue
        if asked.slugs and raw.slug not in slugs:
            continue
        found.append(raw)
    return found


def daily(world: World, asked: Asked) -> dict[str, Any]:
    """`data` of the daily report."""
    raws = selected(world, asked)
    by_log_type: list[dict[str, Any]] = []
    for slug in {raw.slug for raw in raws}:
        own = [raw for raw in raws if raw.slug == slug]
        by_log_type.append(
            {
                "slug": "__unknown__" if slug is None else slug,
                "name": "Unknown" if slug is None else world.names[slug],
                "totals": totals(own),
                "series": series(own, world, asked),
            }
        )
    by_log_type.sort(key=lambda t: (-t["totals"]["credits"], -t["totals"]["requests"], t["slug"]))
    return {
        "series": series(raws, world, asked),
        "by_log_type": by_log_type,
        "totals": totals(raws),
    }


def series(raws: list[Raw], world: World, asked: Asked) -> list[dict[str, Any]]:
    """The days of some requests."""
    days = []
    day = asked.start
    while day <= asked.end:
        own = [raw for raw in raws if local_date(raw.time_ms, world.zone) == day]
        if own or asked.fill_gaps:
            days.append({"date": day.isoformat(), **totals(own)})
        day += timedelta(days=1)
    return days


def breakdown(world: World, asked: Asked) -> dict[str, Any]:
    """`data` of the breakdown."""
    raws = selected(world, asked)
    whole = totals(raws)
    by_key: list[dict[str, Any]] = []
    for key in world.keys:
        is_selected = not asked.keys or bool({key.key_id, key.mask} & set(asked.keys))
        own = [raw for raw in raws if raw.key_id == key.key_id]
        if not own and (key.is_revoked or not is_selected):
            continue
        last_ms = max((raw.time_ms for raw in own), default=None)
        part = totals(own)
        by_key.append(
            {
                "name": key.mask,
                **part,
                "last_used": None if last_ms is None else stamp(last_ms, world.zone),
                "percent_of_requests": share(part["requests"], whole["requests"], 3),
                "percent_of_credits": share(part["credits"], whole["credits"], 3),
                "key_id": key.key_id,
            }
        )
    by_key.sort(key=lambda k: (-k["credits"], -k["requests"], k["name"], k["key_id"]))
    by_endpoint: list[dict[str, Any]] = []
    for slug in {raw.slug for raw in raws}:
        part = totals([raw for raw in raws if raw.slug == slug])
        by_endpoint.append(
            {
                "slug": slug,
                "name": "Unknown" if slug is None else world.names[slug],
                **part,
                "cost_per_call": cut(part["credits"], part["requests"], 2),
                "percent_of_requests": share(part["requests"], whole["requests"], 2),
                "percent_of_credits": share(part["credits"], whole["credits"], 2),
            }
        )
    by_endpoint.sort(
        key=lambda e: (-e["credits"], -e["requests"], e["slug"] is None, e["slug"] or "")
    )
    return {"by_key": by_key[:TOP], "by_endpoint": by_endpoint[:TOP], "totals": whole}


def windows(requests: Iterable[Raw], zone: ZoneInfo, now_ms: int) -> dict[str, int]:
    """Requests of each channel in the hour, day and month of an instant, in one zone.

    An hour is a pair of UTC offset and local hour.
    """
    now = datetime.fromtimestamp(now_ms // 1000, zone)
    same: dict[str, Callable[[datetime], bool]] = {
        "monthly": lambda at: (at.year, at.month) == (now.year, now.month),
        "daily": lambda at: at.date() == now.date(),
        "hourly": lambda at: (
            (at.date(), at.hour, at.utcoffset()) == (now.date(), now.hour, now.utcoffset())
        ),
    }
    counted = dict.fromkeys(
        (f"{channel}_{kind}_usage" for channel in ("api", "portal") for kind in same), 0
    )
    for raw in requests:
        at = datetime.fromtimestamp(raw.time_ms // 1000, zone)
        for kind, is_same in same.items():
            name = f"{raw.channel}_{kind}_usage"
            if name in counted and is_same(at):
                counted[name] += 1
    return counted


def totals(raws: Sequence[Raw]) -> dict[str, Any]:
    """The sums of some requests."""
    return {
        "credits": Decimal(sum(raw.credits_micro for raw in raws)) / MICRO,
        "requests": len(raws),
    }


def share(part: Decimal | int, whole: Decimal | int, places: int) -> Decimal:
    """Percent, cut."""
    return cut(Decimal(part) * 100, Decimal(whole), places)


def cut(part: Decimal | int, whole: Decimal | int, places: int) -> Decimal:
    """A ratio, cut after some places, by whole numbers."""
    if not whole:
        return Decimal(0)
    scaled = int(Decimal(part) * MICRO) * 10**places // int(Decimal(whole) * MICRO)
    return Decimal(scaled).scaleb(-places)


def stamp(time_ms: int, zone: ZoneInfo) -> str:
    """`2026-05-05 11:09:42.508` in a zone."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time_ms)
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1000:03d}"
