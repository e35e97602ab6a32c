"""A caller of the admin API with a token of the scope admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.support.api import Api, exact


class Admin:
    """Calls the admin API with a token of the scope admin."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = api.admin_token

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - as `Api.request`
    ) -> httpx.Response:
        """The answer to a call below `/admin/v1`."""
        sent = dict(headers or {})
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        return self.api.request(
            method, f"/admin/v1{path}", token=self.token, body=body, headers=sent, **more
        )

    def make(self, path: str, body: object, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        """What a POST makes."""
        response = self.call("POST", path, body, **more)
        assert response.status_code == httpx.codes.CREATED, response.text
        return exact(response)

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """What a GET finds."""
        response = self.call("GET", path)
        assert response.status_code == httpx.codes.OK, response.text
        return exact(response)

    def change(self, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """What a PATCH changes."""
        response = self.call("PATCH", path, body)
        assert response.status_code == httpx.codes.OK, response.text
        return exact(response)

    def workspace(self, **fields: object) -> int:
        """A new workspace on the plan `gold`, which is made first."""
        if self.call("GET", "/plans/gold").status_code != httpx.codes.OK:
            self.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 2000})
        made = self.make("/workspaces", {"name": "Acme", "plan": "gold", **fields})
        profile_id: int = made["profile_id"]
        return profile_id
