"""The world that the browser looks at: a real server, and workspaces whose calls are known.

Acme is in New York. Its calls lie on the days around the last change to or from summer time, the
hours 1 and 23 among them, and on the last days until now. It has two users with two keys each,
the channels api and portal, priced calls, free ones and such as are mapped to no log type, one call
with its headers and bodies, a top-up that expires, an alert, refusals and an audit. Bolt is another
workspace. Everything goes the way it goes in earnest. A test that changes something makes a
workspace of its own: `world.make_workspace`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from farebox.core.database_url import read_database_url
from farebox.core.identity import content_digest
from farebox.core.request import Capture, MeteredRequest
from farebox.engine.clock import wall_ms
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.sync_link import SyncLink
from farebox.service.audit import audit_keep, run_audit
from farebox.service.capture import CapturePolicy
from farebox.service.forms.common import Nothing
from farebox.service.record import Draft, Packer
from farebox.store.contract import Reader
from farebox.store.database import Database
from tests.support.recorders import nobody
from tests.support.server import RunningServer
from tests.support.waiting import until

TIMEZONE = "America/New_York"
SEED = 8
DAYS_AROUND = 3
LAST_DAYS = 10
CALLS_A_DAY = 24
DAY_MS = 86_400_000
# The sites of the provider's own, which may show the pages in a frame.
PORTALS = "http://127.0.0.1:*"
SETTINGS = {
    "FAREBOX_CAPTURE_BODIES": "on",
    "FAREBOX_FRAME_ANCESTORS": PORTALS,
    "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "1000000",
    "FAREBOX_LOG_LEVEL": "error",
}
POLICY = CapturePolicy(is_on=True, bytes_max=4096, key_headers=("x-api-key",))
# Slug, name, credits, method and path; the last is for what nobody can afford.
LOG_TYPES = (
    ("people_search", "People Search", 3, "POST", "/people/search"),
    ("company_search", "Company Search", 1.5, "POST", "/companies/search"),
    ("people_redeem", "Redeem People", 15, "POST", "/people/redeem"),
    ("bulk_export", "Bulk Export", 1_000_000, "POST", "/export"),
)
TARGETS = (*[row[3:] for row in LOG_TYPES[:3]], ("GET", "/locations"))
STATUSES = (200, 200, 200, 200, 200, 200, 201, 404, 422, 500)
PLAN = {
    "slug": "growth",
    "name": "Growth",
    "credits_per_month": 20_000,
    "is_quota_sharing_available": True,
    "unmapped": "allow",
    "limits": {
        "api": {"hour": 1_000, "day": 10_000, "month": 100_000},
        "portal": {"hour": 300, "day": 3_000, "month": 30_000},
    },
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """One that was made, and the secrets of its keys by their names."""

    profile_id: int
    name: str
    user_ids: tuple[str, ...]
    key_ids: dict[str, str]
    keys: dict[str, str]

    @property
    def key(self) -> str:
        """The secret of its first key."""
        return next(iter(self.keys.values()))


class World:
    """What was made, and where it is served."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.url = server.url
        self.admin_token = server.token
        self._numbers = count(1)
        for slug, name, credits, method, path in LOG_TYPES:
            made = {"slug": slug, "name": name, "credits": credits, "method": method, "path": path}
            server.make("/log_types", made)
        server.make("/plans", PLAN)
        self.changed_on = last_change(wall_ms())
        self.acme = self.make_workspace("Acme Corporation", users=2)
        self.bolt = self.make_workspace("Bolt")
        self._grant()
        self._refuse()
        self._record()

    @property
    def change_range(self) -> tuple[str, str]:
        """The first and the last of the days around the change of time."""
        around = timedelta(days=DAYS_AROUND)
        return str(self.changed_on - around), str(self.changed_on + around)

    def today(self) -> date:
        """The day that it is in Acme's zone."""
        return datetime.now(ZoneInfo(TIMEZONE)).date()

    def make_workspace(self, name: str = "", *, users: int = 1, **fields: object) -> Workspace:
        """A workspace with users, each with a key for the channel api and one for the portal."""
        number = next(self._numbers)
        fields = {"plan": PLAN["slug"], "timezone": TIMEZONE, "licences": users, **fields}
        name = name or f"Workspace {number}"
        made = self.server.make("/workspaces", {"name": name, **fields})
        profile_id = made["profile_id"]
        user_ids = [made["owner_user_id"]]
        for other in range(2, users + 1):
            person = {"nickname": f"User {other}", "email": f"user{other}@w{number}.example"}
            user = self.server.make(f"/workspaces/{profile_id}/users", person)
            user_ids.append(user["user_id"])
        keys = {}
        for place, user_id in enumerate(user_ids, 1):
            for channel in ("api", "portal"):
                asked = {"user_id": user_id, "name": f"{channel} {place}", "channel": channel}
                keys[asked["name"]] = self.server.make(f"/workspaces/{profile_id}/keys", asked)
        return Workspace(
            profile_id,
            name,
            tuple(user_ids),
            {name: key["key_id"] for name, key in keys.items()},
            {name: key["key"] for name, key in keys.items()},
        )

    def ask(self, path: str, body: object = None, *, key: str = "") -> Any:  # noqa: ANN401 - any JSON
        """The `data` of the API's answer to Acme, or to who holds the key: GET without a body."""
        answer = self.server.client.request(
            "GET" if body is None else "POST",
            self.url + path,
            headers={"X-API-Key": key or self.acme.key},
            json=body,
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()["data"]

    def refusals(self, workspace: Workspace) -> Any:  # noqa: ANN401 - any JSON
        """The admin API's answer to how many calls of a workspace were refused, by reason."""
        path = f"/admin/v1/workspaces/{workspace.profile_id}/refusal_counts"
        return self.server.call("GET", path).json()

    def _grant(self) -> None:
        soon = datetime.now(UTC) + timedelta(days=20)
        grant = {
            "credits": 5_000,
            "kind": "topup",
            "expires_at": soon.isoformat(timespec="seconds"),
        }
        self.server.make(f"/workspaces/{self.acme.profile_id}/grants", grant)
        alert = {"kind": "month", "channel": "api", "thresholds": [80, 100]}
        self.server.make(f"/workspaces/{self.acme.profile_id}/alerts", alert)

    def _refuse(self) -> None:
        """Three calls that the gate refuses: nobody has so many credits."""
        for _ in range(3):
            asked = {"key": self.acme.key, "log_type": "bulk_export"}
            answer = self.server.call("POST", "/v1/authorize", asked).json()
            assert answer["allowed"] is False, answer
        until(lambda: bool(self.refusals(self.acme)["reasons"]))

    def _record(self) -> None:
        """Import the calls that have happened, and audit the books."""
        with SyncLink(self.server.place, nobody()) as link, closing(self._open_reader()) as reader:
            rows, captures = _Calls(self, reader).make()
            recorded = link.record(rows, captures, is_import=True)
            assert not [*recorded.duplicates, *recorded.conflicts, *recorded.rejected], recorded
            link.call("audits.keep", audit_keep(run_audit(reader)), Nothing, actor="test")

    def _open_reader(self) -> Reader:
        url = self.server.environment["FAREBOX_DATABASE"]
        return Database(read_database_url(url)).open_reader()


class _Calls:
    """Makes the calls of both workspaces."""

    def __init__(self, world: World, reader: Reader) -> None:
        self._world = world
        self._dice = Random(SEED)
        self._now_ms = wall_ms()
        self._directory = Directory()
        self._directory.load(reader)
        self._packer = Packer(self._directory, SystemEntropy())
        self._ids = count(1)

    def make(self) -> tuple[list[MeteredRequest], list[Capture]]:
        """The rows, and what was captured of one of them."""
        world = self._world
        rows = [self._row(world.acme, at_ms) for at_ms in self._times()]
        rows += [self._row(world.bolt, self._now_ms - DAY_MS) for _ in range(5)]
        last = self._row(world.acme, self._now_ms - 60_000, target=TARGETS[0], status_code=200)
        headers = {"content-type": "application/json", "x-api-key": world.acme.key}
        capture = POLICY.capture(last, headers, '{"query": "engineer"}', '{"data": ["Ada"]}')
        assert capture is not None
        return [*rows, last], [capture]

    def _times(self) -> Iterator[int]:
        zone = ZoneInfo(TIMEZONE)
        for back in range(-DAYS_AROUND, DAYS_AROUND + 1):
            day = self._world.changed_on + timedelta(days=back)
            for hour in (0, 1, 1, 3, 9, 12, 12, 17, 23, 23):
                local = datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone)
                # The hour that comes twice, in either of its forms.
                local = local.replace(fold=self._dice.randrange(2))
                yield round(local.timestamp() * 1000)
        for _ in range(LAST_DAYS * CALLS_A_DAY):
            yield self._now_ms - self._dice.randrange(120_000, LAST_DAYS * DAY_MS)

    def _row(
        self,
        workspace: Workspace,
        at_ms: int,
        *,
        target: tuple[Any, ...] | None = None,
        status_code: int | None = None,
    ) -> MeteredRequest:
        method, path = target or self._dice.choice(TARGETS)
        request_id = f"{next(self._ids):06d}"
        key_id = self._dice.choice(list(workspace.key_ids.values()))
        draft = Draft(
            request_id=request_id,
            source="browser",
            content=content_digest(request_id.encode()),
            key=self._directory.keys[key_id],
            log_type=None,
            time_ms=at_ms,
            method=method,
            path=path,
            status_code=status_code or self._dice.choice(STATUSES),
            duration_ms=self._dice.randrange(5, 900),
            response_size=self._dice.randrange(50, 20_000),
            ip=f"203.0.113.{self._dice.randrange(1, 30)}",
            channel=None,
            credits_micro=None,
            authentication_type="x-api-key",
        )
        return self._packer.pack(draft, self._now_ms, is_import=True)


def last_change(now_ms: int) -> date:
    """The last day of New York that didn't have 24 hours, before the calls of the last days."""
    zone = ZoneInfo(TIMEZONE)
    before = timedelta(days=DAYS_AROUND + LAST_DAYS + 2)
    day = datetime.fromtimestamp(now_ms / 1000, zone).date() - before
    while _offset(day, zone) == _offset(day + timedelta(days=1), zone):
        day -= timedelta(days=1)
    return day


def _offset(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """A world, served for the time of the `with`."""
    with RunningServer(folder, SETTINGS) as server:
        yield World(server)
