"""A till: a gateway that asks the gate before it serves, with a token of the scope meter."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.api import Api, exact

PATH = "/people/search"


class Till:
    """Its workspace has 100 credits a month, 5 requests an hour, and searches for 3 credits."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.harness = api.harness
        self.harness.log_type("people_search", credits=3, method="POST", path=PATH)
        self.harness.log_type("people_redeem", credits=15, hold_credits=30)
        self.harness.call(
            "plans.create",
            slug="gold",
            name="Gold",
            credits_per_month=100,
            limits={"api": {"hour": 5, "month": 1000}},
        )
        self.profile_id = self.harness.workspace(plan="gold", name="Acme")
        made = self.harness.call("keys.create", profile_id=self.profile_id)
        self.key_id, self.key = made.key_id, made.key
        self.token = self.harness.call("tokens.create", name="Till", scope="meter").token
        self.catch_up()

    def catch_up(self) -> None:
        """Let the server hear of what was changed behind its back."""
        self.api.run(self.api.context.follower.catch_up())

    def ask(self, path: str, body: object, **more: Any) -> httpx.Response:  # noqa: ANN401 - as `Api.request`
        """The answer to a call of the gate."""
        return self.api.request("POST", path, body=body, **{"token": self.token, **more})

    def authorize(self, **fields: object) -> Any:  # noqa: ANN401 - any JSON
        """The decision over a search, or whatever `fields` make of it."""
        body = {"key": self.key, "method": "POST", "path": PATH, **fields}
        response = self.ask("/v1/authorize", {k: v for k, v in body.items() if v is not None})
        assert response.status_code == httpx.codes.OK, response.text
        return exact(response)

    def admitted(self, **fields: object) -> str:
        """The reservation of a call that must be let through."""
        told = self.authorize(**fields)
        assert told["allowed"] is True, told
        reservation_id: str = told["reservation_id"]
        return reservation_id

    def settle(self, reservation_id: str, **fields: object) -> httpx.Response:
        """The answer to a settlement."""
        body = {"reservation_id": reservation_id, "status_code": 200, **fields}
        return self.ask("/v1/settle", body)

    def void(self, reservation_id: str) -> httpx.Response:
        """The answer to a void."""
        return self.ask("/v1/void", {"reservation_id": reservation_id})

    def credits_left(self) -> object:
        """What `/v1/quotas` says."""
        return exact(self.api.request("GET", "/v1/quotas", key=self.key))["credits_left"]
