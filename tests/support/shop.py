"""A shop: a server whose one workspace has keys, log types and some traffic."""

from __future__ import annotations

from typing import Any

from farebox.core.request import MeteredRequest
from tests.support.api import Api

CREDIT = 1_000_000
# All but their metadata and shape is each endpoint's own matter.
CUSTOMER_CALLS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/profile/usage", {}),
    ("POST", "/profile", {}),
    ("POST", "/user", {}),
    ("GET", "/v1/quotas", None),
    ("POST", "/api_keys", {}),
    ("POST", "/api_keys/usage/daily", {"start_date": "2026-05-01", "end_date": "2026-05-14"}),
    ("POST", "/api_keys/usage/breakdown", {"start_date": "2026-05-01", "end_date": "2026-05-14"}),
    ("POST", "/api_keys/logs", {}),
    ("POST", "/api_keys/refusals", {"start_date": "2026-05-01", "end_date": "2026-05-14"}),
)


class Shop:
    """Its key is in `key`; `other_key` belongs to another workspace."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.harness = api.harness
        self.search = self.harness.log_type("people_search", credits=3)
        self.redeem = self.harness.log_type("people_redeem", credits=15)
        self.profile_id = self.harness.workspace(name="Acme")
        self.other_profile_id = self.harness.workspace(name="Other")
        self.key_id, self.key = self.make_key()
        _, self.other_key = self.make_key(self.other_profile_id)

    def make_key(self, profile_id: int | None = None, **fields: Any) -> tuple[str, str]:  # noqa: ANN401 - as `Harness.row`
        """The id and secret of a new key."""
        profile_id = self.profile_id if profile_id is None else profile_id
        made = self.harness.call("keys.create", profile_id=profile_id, **fields)
        return made.key_id, made.key

    def row(self, **fields: Any) -> MeteredRequest:  # noqa: ANN401 - as `Harness.row`
        """A request of the shop's key."""
        fields = {"log_type_id": self.search, "credits_micro": 3 * CREDIT, **fields}
        key_id = fields.pop("key_id", self.key_id)
        return self.harness.row(self.profile_id, key_id, **fields)

    def use(self, count: int = 1, **fields: Any) -> list[MeteredRequest]:  # noqa: ANN401 - as `Harness.row`
        """Record some requests of the shop's key."""
        rows = [self.row(**fields) for _ in range(count)]
        self.harness.record(rows)
        return rows
