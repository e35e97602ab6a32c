"""A server to be called at random, and what is there, so that calls reach beyond the first check.

Cases name things that don't exist. `fit` puts in what does: always in a path, and in every second
body. What a call ends (a key, a token) is made for it. The clock stands in the time that the
examples of the document are of.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import requests
from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from farebox.contract.operation import Operation, Security
from farebox.contract.operations import OPERATIONS
from farebox.core.errors import FareboxError
from farebox.core.identity import format_uuid
from farebox.core.instant import to_iso_ms
from farebox.core.request import Capture
from tests.support.api import BASE_URL, Api

CREDIT = 1_000_000
LICENCES = 100_000
# These calls use up what they name.
ENDING = {
    "admin_alerts_delete",
    "admin_keys_revoke",
    "admin_keys_rotate",
    "admin_tokens_revoke",
    "admin_webhooks_delete",
}
SETTINGS = {"FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "1000000", "FAREBOX_CAPTURE_BODIES": "on"}


class World:
    """The server `api`, with one workspace for customers' calls and one for the admin's."""

    def __init__(self, api: Api) -> None:
        self.api = api
        harness = api.harness
        self.search = harness.log_type("people_search", credits=3)
        # What gateways ask about is never out of credits.
        harness.log_type("free", credits=0, path="/free/*")
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=2000)
        self.customer = harness.workspace(name="Customer", plan="gold")
        made = harness.call("keys.create", profile_id=self.customer)
        self.key, self.key_id = made.key, made.key_id
        row = harness.row(
            self.customer, self.key_id, log_type_id=self.search, credits_micro=3 * CREDIT
        )
        harness.record([row], [Capture(self.customer, row.query_log_id, "{}", "{}", "{}")])
        self.query_log_id = format_uuid(row.query_log_id)
        self.managed = harness.workspace(name="Managed", plan="gold", licences=LICENCES)
        made = harness.call("keys.create", profile_id=self.managed)
        self.managed_key_id = made.key_id
        (self.user_id,) = harness.select(
            "select user_id from users where profile_id = ?", self.managed
        )[0]
        charged = harness.row(self.managed, self.managed_key_id, credits_micro=10**9 * CREDIT)
        harness.record([charged])
        self.request_id = format_uuid(charged.query_log_id)
        self.meter_token = harness.call("tokens.create", name="Meter", scope="meter").token
        self.token_id = harness.call("tokens.create", name="T", scope="meter").token_id
        self.webhook_id = harness.call("webhooks.create", url="https://example.com/").webhook_id
        self._made = 0
        self.ended_keys = self._ended_keys()
        revoked = harness.call("tokens.create", name="Revoked", scope="admin")
        harness.call("tokens.revoke", token_id=revoked.token_id)
        self.revoked_token = revoked.token
        suspended = harness.workspace(name="Suspended", plan="gold")
        self.suspended_key = harness.call("keys.create", profile_id=suspended).key
        harness.call("workspaces.change", profile_id=suspended, status="suspended")
        api.run(api.context.follower.catch_up())

    def _ended_keys(self) -> list[str]:
        """A key that was revoked and one that has expired."""
        harness = self.api.harness
        revoked = harness.call("keys.create", profile_id=self.customer)
        harness.call("keys.revoke", profile_id=self.customer, key_id=revoked.key_id)
        soon = to_iso_ms(harness.now_ms + 1)
        expiring = harness.call("keys.create", profile_id=self.customer, expires_at=soon)
        harness.advance(milliseconds=1)
        return [revoked.key, expiring.key]

    def credentials(self, security: Security) -> dict[str, str]:
        """The headers of a caller that may make a call."""
        match security:
            case "key" | "forwarded":
                return {"X-API-Key": self.key}
            case "meter":
                return {"Authorization": f"Bearer {self.meter_token}"}
            case "admin":
                return {"Authorization": f"Bearer {self.api.admin_token}"}
            case "none":
                return {}

    def fit(self, case: Case[Any]) -> None:
        """Put what is there into a case, where it was not made to be wrong."""
        operation_id = operation_of(case).operation_id
        case.path_parameters = {
            name: value if _is_wrong_in(case, ParameterLocation.PATH) else self._in_path(name, case)
            for name, value in (case.path_parameters or {}).items()
        }
        if not _is_wrong_in(case, ParameterLocation.HEADER) and self._next() % 4:
            # One key for all calls would make all but the first a repeat, or another's.
            for name in case.headers or {}:
                if name.lower() == "idempotency-key":
                    case.headers[name] = f"call-{self._next()}"
                elif name.lower() in {"x-forwarded-uri", "x-original-uri"}:
                    case.headers[name] = "/free/call?page=2"
        if isinstance(case.body, dict | list) and not _is_wrong_in(case, ParameterLocation.BODY):
            text = json.dumps(case.body, default=str)
            if _is_example(case) or len(text) % 2:
                case.body = self._in_body(case.body, operation_id)

    def send(self, case: Case[Any], headers: dict[str, str]) -> httpx.Response:
        """The answer to a case."""
        sent = case.as_transport_kwargs(base_url=BASE_URL, headers=headers)
        names = ("method", "url", "headers", "params", "json", "data", "cookies")
        known = {name: sent[name] for name in names if name in sent}
        prepared = requests.Request(**known).prepare()
        assert prepared.method is not None
        assert prepared.url is not None
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        assert body is None or isinstance(body, bytes)
        headers_sent = {
            name.encode("latin-1"): value if isinstance(value, bytes) else value.encode("latin-1")
            for name, value in prepared.headers.items()
        }
        request = httpx.Request(prepared.method, prepared.url, headers=headers_sent, content=body)
        return self.api.run(self.api._client.send(request))

    def recorded(self) -> list[tuple[Any, ...]]:
        """How much there is of what calls make."""
        return self.api.harness.select(
            "select (select count(*) from identities), (select count(*) from changes),"
            " (select count(*) from transfers)"
        )

    def _in_path(self, name: str, case: Case[Any]) -> Any:  # noqa: ANN401 - as in the case
        harness, operation_id = self.api.harness, operation_of(case).operation_id
        if operation_id in ENDING and name == "key_id":
            return harness.key(self.managed)
        if operation_id in ENDING and name == "token_id":
            return harness.call("tokens.create", name="T", scope="meter").token_id
        if operation_id in ENDING and name == "webhook_id":
            return self._ending("webhooks", {"url": "https://example.com/"})
        if operation_id in ENDING and name == "alert_id":
            made = {"profile_id": self.managed, "kind": "credits", "thresholds": [100]}
            return self._ending("alerts", made)
        turn = self._next() % 2
        return {
            "original_path": "free/call",
            "webhook_id": self.webhook_id,
            "profile_id": self.managed,
            "key_id": self.managed_key_id,
            "token_id": self.token_id,
            "user_id": self.user_id,
            "slug": "gold" if "plans" in operation_id else "people_search",
            "lang": "ko",
            "page": ("errors", "errors.md")[turn],
            "file": ("docs.css", "reference.js")[turn],
        }[name]

    def _ending(self, kind: str, fields: dict[str, Any]) -> str:
        """A new one of a kind that there can be only so many of, or one that is there."""
        one = f"{kind.removesuffix('s')}_id"
        with suppress(FareboxError):
            return str(getattr(self.api.harness.call(f"{kind}.create", **fields), one))
        ((found,),) = self.api.harness.select(f"select {one} from {kind} limit 1")
        return str(found)

    def _reservation(self) -> str:
        """One that holds nothing, so that there is always another."""
        asked = {"key": self.key, "log_type": "people_search", "credits": 0}
        answer = self.api.request("POST", "/v1/authorize", token=self.meter_token, body=asked)
        return str(answer.json()["reservation_id"])

    def _in_body(self, body: Any, operation_id: str) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(body, list):
            return [self._in_body(item, operation_id) for item in body]
        if not isinstance(body, dict):
            return body
        known = {
            "profile_id": self.customer,
            "plan": "gold",
            "user_id": self.user_id,
            "key_id": self.managed_key_id,
            "subject": self.managed_key_id,
            "log_type": "people_search",
            "type": "people_search",
            "log_types": [self.search],
            "log_type_slugs": ["people_search", "__unknown__"],
            "prices": {"people_search": 2},
            "query_log_id": self.query_log_id,
            "request_id": self.request_id,
            "licences": LICENCES,
        }
        if operation_id == "authorize":
            known |= {"key": self.key}
        if operation_id in {"settle", "void"}:
            known |= {"reservation_id": self._reservation(), "credits": 0}
        if operation_id.endswith("_create"):
            number = self._next()
            known |= {
                "slug": f"s{number}",
                "email": f"u{number}@x.invalid",
                "key": f"k-{number:08}",
            }
            known |= {"path": f"/p{number}/{{x}}"}
        return {
            name: known[name]
            if name in known and value is not None
            else self._in_body(value, operation_id)
            for name, value in body.items()
        }

    def _next(self) -> int:
        self._made += 1
        return self._made


def exercise(case: Case[Any], world: World, answers: Counter[int]) -> httpx.Response:
    """The answer to a case with the credentials that it needs."""
    world.fit(case)
    response = world.send(case, world.credentials(operation_of(case).security))
    answers[response.status_code] += 1
    return response


def operation_of(case: Case[Any]) -> Operation:
    """The operation of a case."""
    method = case.operation.method.upper()
    return next(o for o in OPERATIONS if o.path == case.path and method in o.methods)


def is_wrong(case: Case[Any]) -> bool:
    """Whether a case was made to be wrong."""
    return case.meta is not None and case.meta.generation.mode.is_negative


def _is_wrong_in(case: Case[Any], location: ParameterLocation) -> bool:
    component = case.meta.components.get(location) if case.meta else None
    return component is not None and component.mode.is_negative


def _is_example(case: Case[Any]) -> bool:
    return case.meta is not None and case.meta.phase.name is TestPhase.EXAMPLES
