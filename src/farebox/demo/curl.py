"""The curl lines that the demo prints: one for every endpoint of the customer, and a few more.

Each is complete and works when it is pasted into a shell. The customer's come from the declared
operations, so a new one has its line by itself; only bodies that need facts of the demo stand here.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

import msgspec

from farebox.contract import gate, logs, metering, refusals, usage
from farebox.contract.metering import CLOUDEVENT
from farebox.contract.operation import Operation
from farebox.contract.operations import OPERATIONS
from farebox.contract.wire import JSON, JsonObject
from farebox.core.calendar import day_of_quarter, format_day, quarter_of, zone_of
from farebox.demo.endpoints import COMPANY_SEARCH, PEOPLE_REDEEM, PEOPLE_SEARCH
from farebox.demo.people import contact, search_people
from farebox.demo.sample_api import MOUNT
from farebox.demo.world import TIMEZONE, World

REPORT_DAYS = 14
QUERY = {"query": "data engineer", "location": "Berlin"}


class Line(NamedTuple):
    """A command line and what it does."""

    title: str
    command: str


class Curl:
    """Makes the lines for a server's URL and a world; the key goes into the header named."""

    def __init__(self, url: str, world: World, key_header: str, now_ms: int) -> None:
        self._url = url
        self._world = world
        self._key = f"{key_header}: {world.key.reveal()}"
        self._token = f"Authorization: Bearer {world.admin_token.reveal()}"
        today = day_of_quarter(quarter_of(now_ms), zone_of(TIMEZONE))
        dates: JsonObject = {
            "start_date": format_day(today - REPORT_DAYS + 1),
            "end_date": format_day(today),
        }
        self._bodies: dict[str, JsonObject] = {
            usage.DAILY.operation_id: dates,
            usage.BREAKDOWN.operation_id: dates,
            refusals.REFUSALS.operation_id: dates,
            logs.LOGS.operation_id: {"per_page": 3, "log_type_slugs": [PEOPLE_REDEEM.slug]},
            logs.LOOKUP.operation_id: {"query_log_id": world.query_log_id},
        }

    def customer(self) -> list[Line]:
        """All endpoints of the customer."""
        return [self._customer(o) for o in OPERATIONS if o.audience == "customer"]

    def metering(self) -> list[Line]:
        """What a gateway or back end asks and sends, with the admin token."""
        row: JsonObject = {
            "id": "curl-1",
            "key_id": self._world.key_id,
            "log_type": PEOPLE_SEARCH.slug,
            "status_code": 200,
        }
        event: JsonObject = {
            "specversion": "1.0",
            "id": "curl-2",
            "source": "gateway-1",
            "type": COMPANY_SEARCH.slug,
            "subject": self._world.key_id,
        }
        asked: JsonObject = {"key": self._world.key.reveal(), "log_type": PEOPLE_REDEEM.slug}
        return [
            self._post(gate.AUTHORIZE, asked, JSON),
            self._post(metering.REQUESTS, {"requests": [row]}, JSON),
            # 204 has no body, so the status is shown.
            self._post(metering.EVENTS, event, CLOUDEVENT, show="-i"),
        ]

    def sample(self) -> list[Line]:
        """The three sample endpoints; the person is one whose phone number is known."""
        people, _ = search_people(QUERY["query"], QUERY["location"], 100)
        person = next(one for one in people if contact(one.person_id).phone)
        return [
            self._sell(PEOPLE_SEARCH.name, PEOPLE_SEARCH.path, QUERY),
            self._sell(COMPANY_SEARCH.name, COMPANY_SEARCH.path, {"query": "solar"}),
            self._sell(PEOPLE_REDEEM.name, PEOPLE_REDEEM.path, {"person_id": person.person_id}),
        ]

    def _customer(self, operation: Operation) -> Line:
        body = self._bodies.get(operation.operation_id)
        assert body or "GET" in operation.methods, f"{operation.path} needs a body"
        return Line(operation.title, self._command(operation.path, self._key, body))

    def _post(
        self, operation: Operation, body: JsonObject, media_type: str, *, show: str = ""
    ) -> Line:
        command = self._command(operation.path, self._token, body, media_type, show=show)
        return Line(operation.title, command)

    def _sell(self, name: str, path: str, body: dict[str, str]) -> Line:
        return Line(name, self._command(MOUNT + path, self._key, {**body}))

    def _command(
        self,
        path: str,
        credential: str,
        body: JsonObject | None,
        media_type: str = JSON,
        *,
        show: str = "",
    ) -> str:
        words = ["curl", "-sS", *([show] if show else ["-w", r"\n"]), self._url + path]
        words += ["-H", credential]
        if body is not None:
            words += ["-H", f"Content-Type: {media_type}", "-d", msgspec.json.encode(body).decode()]
        return shlex.join(words)
