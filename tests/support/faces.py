"""Faces of the gate, and storms of callers at them: what may be admitted is, and no more.

A face is how a call comes to the gate. What it is asked is a whole call: the request, and where it
is admitted its end. A shop makes workspaces that one limit stops after a number of calls, in zones
where no window ends soon; a storm calls a face from many callers at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal, NamedTuple, Protocol

import httpx

from farebox.core.calendar import natural_window, zone_of
from farebox.core.instant import MS_PER_MINUTE
from farebox.engine.clock import wall_ms
from tests.support.server import RunningServer
from tests.support.wire import Wire

LimitName = Literal["hour", "day", "month", "credits"]
SLUG, PATH = "storm_call", "/storm"
RICH = 1_000_000
CALLERS = 64
# For the servers of shops: what is waited for is asked for often.
SETTINGS = {"FAREBOX_LOG_LEVEL": "error", "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "1000000"}
TRIES = 1_300
# A window must not end while a test counts in it.
STEADY_MS = 10 * MS_PER_MINUTE
ZONES = (
    "UTC",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "Pacific/Auckland",
    "America/St_Johns",
    "Asia/Tehran",
    "Pacific/Honolulu",
)
USAGE = {"hour": "api_hourly_usage", "day": "api_daily_usage", "month": "api_monthly_usage"}


class Verdict(NamedTuple):
    """How a call has ended: 200 when it was let through, else why not, as far as it was told."""

    status: int
    denied_by: str | None = None
    retry_after: int | None = None


class Face(Protocol):
    """A way to the gate."""

    @property
    def is_naming(self) -> bool:
        """Whether it tells the limit that refused."""

    async def call(self, wire: Wire, key: str) -> Verdict:
        """Call with a key, whatever becomes of it."""


class Authorize:
    """`/v1/authorize` and `/v1/settle`, as a gateway calls them."""

    is_naming = True

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, wire: Wire, key: str) -> Verdict:
        """Authorize and settle."""
        body = {"key": key, "log_type": SLUG}
        heard = await wire.ask("POST", "/v1/authorize", self._headers, body)
        assert heard.status == httpx.codes.OK, heard
        told = heard.json()
        if not told["allowed"]:
            return Verdict(told["status"], told["denied_by"], told.get("retry_after"))
        settled = {"reservation_id": told["reservation_id"], "status_code": 200}
        heard = await wire.ask("POST", "/v1/settle", self._headers, settled)
        assert heard.status == httpx.codes.OK, heard
        return Verdict(httpx.codes.OK)


class Answered:
    """A face whose decision is the answer itself: forward authentication, or an API behind it.

    `headers` go with each call, beside the key in `key_header`.
    """

    is_naming = False

    def __init__(
        self, path: str, headers: dict[str, str] | None = None, *, key_header: str = "X-API-Key"
    ) -> None:
        self._path = path
        self._headers = headers or {}
        self._key_header = key_header

    async def call(self, wire: Wire, key: str) -> Verdict:
        """Ask, and see whether it passes."""
        heard = await wire.ask("GET", self._path, {**self._headers, self._key_header: key})
        retry_after = heard.headers.get("retry-after")
        return Verdict(heard.status, None, None if retry_after is None else int(retry_after))


def forward_auth() -> Answered:
    """As Traefik and Caddy ask."""
    told = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": f"{PATH}?q=1"}
    return Answered("/v1/forward-auth", told)


class Seat(NamedTuple):
    """A user of a workspace, and a key of the user's own."""

    user_id: str
    key: str


class Customer(NamedTuple):
    """A workspace; the first of its users owns it."""

    profile_id: int
    timezone: str
    seats: tuple[Seat, ...]


class Shop:
    """Makes workspaces and reads what their customers are told."""

    def __init__(self, server: RunningServer, *, is_new: bool = True) -> None:
        self.server = server
        self.made = 0
        if is_new:
            made = {"slug": SLUG, "name": "Storm call", "credits": 1, "path": PATH}
            server.make("/log_types", made)

    def at(self, server: RunningServer) -> Shop:
        """The same shop, seen from another server of it."""
        return Shop(server, is_new=False)

    def customer(
        self, plan: dict[str, Any], *, is_shared: bool = True, users: int = 1, topup: float = 0
    ) -> Customer:
        """A workspace on a plan of its own."""
        self.made += 1
        slug = f"storm-{self.made}"
        fields = {"slug": slug, "name": slug, "is_quota_sharing_available": True}
        self.server.make("/plans", {"credits_per_month": RICH, **fields, **plan})
        timezone = steady_zone(wall_ms())
        made = self.server.make(
            "/workspaces",
            {
                "name": slug,
                "plan": slug,
                "timezone": timezone,
                "licences": users,
                "is_quota_sharing_enabled": is_shared,
            },
        )
        profile_id: int = made["profile_id"]
        for number in range(1, users):
            person = {"nickname": f"User {number}", "email": f"user{number}@{slug}.test"}
            self.server.make(f"/workspaces/{profile_id}/users", person)
        listed = self.server.call("GET", f"/admin/v1/workspaces/{profile_id}/users")
        assert listed.status_code == httpx.codes.OK, listed.text
        seats = []
        for user in listed.json()["data"]:
            made = self.server.make(f"/workspaces/{profile_id}/keys", {"user_id": user["user_id"]})
            seats.append(Seat(user["user_id"], made["key"]))
        customer = Customer(profile_id, timezone, tuple(seats))
        if topup:
            self.grant(customer, topup)
        return customer

    def grant(self, customer: Customer, credits: float) -> None:
        """Top a workspace up."""
        grant = {"credits": credits, "kind": "topup"}
        self.server.make(f"/workspaces/{customer.profile_id}/grants", grant)

    def usage(self, seat: Seat) -> dict[str, Any]:
        """The `data` of `/profile/usage` with a user's key."""
        return self._data("/profile/usage", seat, None)

    def breakdown(self, customer: Customer) -> tuple[int, float]:
        """Requests and credits of the storm's calls, from `/api_keys/usage/breakdown`."""
        today = datetime.now(UTC).date()
        body = {
            "start_date": str(today - timedelta(days=2)),
            "end_date": str(today + timedelta(days=2)),
            "log_type_slugs": [SLUG],
        }
        totals = self._data("/api_keys/usage/breakdown", customer.seats[0], body)["totals"]
        return totals["requests"], totals["credits"]

    def log_stamps(self, customer: Customer) -> list[str]:
        """When each of the storm's calls was admitted, from `/api_keys/logs`, in local time."""
        stamps: list[str] = []
        for page in count(1):
            body = {"page": page, "per_page": 100, "log_type_slugs": [SLUG]}
            data = self._data("/api_keys/logs", customer.seats[0], body)
            stamps += [row["created_at"] for row in data["query_logs"]]
            if page >= data["pagination"]["total_pages"]:
                break
        return stamps

    def refusals(self, customer: Customer) -> dict[str, int]:
        """How many calls were refused, by what refused them."""
        path = f"/admin/v1/workspaces/{customer.profile_id}/refusal_counts"
        reasons = self.server.call("GET", path).json()["reasons"]
        return {reason["denied_by"]: reason["refusals"] for reason in reasons}

    def balance(self, seat: Seat) -> float:
        """Credits that can be spent, from `/profile`; nothing is held by then."""
        credit: float = self._data("/profile", seat, None)["credit"]
        return credit

    def _data(self, path: str, seat: Seat, body: object) -> dict[str, Any]:
        answer = self.server.client.request(
            "GET" if body is None else "POST",
            self.server.url + path,
            headers={"X-API-Key": seat.key},
            json=body,
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data


def steady_zone(now_ms: int) -> str:
    """A zone whose hour, and so its day and month, does not end in the next minutes."""
    for name in ZONES:
        ends = [natural_window(kind, now_ms, zone_of(name)).end_ms for kind in ("hour", "day")]
        if min(ends) > now_ms + STEADY_MS:
            return name
    message = "no zone of ours is far from the end of its hour"
    raise AssertionError(message)


async def storm(
    face: Face,
    url: str,
    keys: Sequence[str],
    *,
    tries: Iterable[int] = range(TRIES),
    callers: int = CALLERS,
) -> list[tuple[str, Verdict]]:
    """Call from many callers at once, each with its own connection: (key, verdict) of each."""
    left = iter(tries)
    verdicts: list[tuple[str, Verdict]] = []

    async def caller() -> None:
        async with Wire(url) as wire:
            for number in left:
                key = keys[number % len(keys)]
                verdicts.append((key, await face.call(wire, key)))

    await asyncio.gather(*(caller() for _ in range(callers)))
    return verdicts


def statuses(verdicts: Iterable[tuple[str, Verdict]]) -> dict[int, int]:
    """How many calls have ended how."""
    return dict(Counter(verdict.status for _, verdict in verdicts))
