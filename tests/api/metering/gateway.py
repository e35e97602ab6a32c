"""A gateway: what reports requests to a server, with a token of the scope meter."""

from __future__ import annotations

from typing import Any

import httpx

from farebox.core.instant import to_iso_ms
from tests.support.api import Api, exact

CREDIT = 1_000_000
EVENTS = "/api/v1/events"
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


class Gateway:
    """Its workspace has the key `key_id` and the log type `people_search` for 3 credits."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.harness = api.harness
        self.search = self.harness.log_type("people_search", credits=3)
        self.profile_id = self.harness.workspace(name="Acme")
        self.key_id, self.key = self.make_key(self.profile_id)
        self.token = self.make_token("meter")

    def make_key(self, profile_id: int, **fields: Any) -> tuple[str, str]:  # noqa: ANN401 - as `Harness.call`
        """The id and secret of a new key."""
        made = self.harness.call("keys.create", profile_id=profile_id, **fields)
        return made.key_id, made.key

    def make_token(self, scope: str) -> str:
        """A new token."""
        token: str = self.harness.call("tokens.create", name="Gateway", scope=scope).token
        return token

    def row(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """A row of the gateway's key; `absent` names what is left out."""
        absent = fields.pop("absent", "")
        row = {"id": "1", "key_id": self.key_id, "log_type": "people_search", **fields}
        return {name: value for name, value in row.items() if name != absent}

    def event(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """A CloudEvent of the gateway's key; `absent` names what is left out."""
        absent = fields.pop("absent", "")
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "gateway-1",
            "type": "people_search",
            "subject": self.key_id,
            **fields,
        }
        return {name: value for name, value in event.items() if name != absent}

    def send(self, *rows: object, **more: Any) -> httpx.Response:  # noqa: ANN401 - as `Api.request`
        """The answer to a call that reports rows."""
        more = {"token": self.token, **more}
        return self.api.request("POST", "/v1/requests", body={"requests": rows}, **more)

    def report(self, *rows: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as `send`
        """What became of rows."""
        response = self.send(*rows, **more)
        assert response.status_code == httpx.codes.OK, response.text
        told: dict[str, Any] = exact(response)
        assert list(told) == ["accepted", "duplicates", "conflicts", "rejected"]
        return told

    def refusal(self, row: object, **more: Any) -> tuple[int, str]:  # noqa: ANN401 - as `send`
        """The code and message of a row that is rejected and leaves nothing behind."""
        before = self.counted()
        told = self.report(row, **more)
        (rejected,) = told.pop("rejected")
        assert told == {"accepted": 0, "duplicates": 0, "conflicts": []}
        assert rejected.pop("index") == 0
        assert self.counted() == before
        return rejected["code"], rejected["message"]

    def emit(self, event: object, media_type: str = ONE, **more: Any) -> httpx.Response:  # noqa: ANN401 - as `Api.request`
        """The answer to a call that reports one event, or a list of them."""
        headers = {"Content-Type": media_type, **more.pop("headers", {})}
        more = {"token": self.token, **more}
        return self.api.request("POST", EVENTS, body=event, headers=headers, **more)

    def emitted(self, *events: object, **more: Any) -> None:  # noqa: ANN401 - as `emit`
        """Report events that are all taken."""
        response = self.emit(events, MANY, **more)
        assert (response.status_code, response.content) == (httpx.codes.NO_CONTENT, b"")

    def counted(self) -> list[tuple[Any, ...]]:
        """What is recorded of everything that is counted."""
        return self.harness.select(
            "select (select count(*) from identities), (select count(*) from requests),"
            " (select total(requests) from quarters), (select total(credits_micro) from quarters),"
            " (select count(*) from transfers), (select total(requests) from charges)"
        )

    def logged(self, columns: str) -> list[tuple[Any, ...]]:
        """Columns of the log, in the order of its requests' times and commits."""
        return self.harness.select(
            f"select {columns} from requests order by time_ms, commit_id, query_log_id"
        )

    def stamp(self, offset_ms: int = 0) -> str:
        """An instant after now as text."""
        return to_iso_ms(self.harness.now_ms + offset_ms)
