"""Wrong places for a secret: calls that carry one where none belongs.

None is a text that is kept as it is sent, by design: a name, a description, a request's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

ROWS = "/v1/requests"
EVENTS = "/api/v1/events"
EVENT_TYPE = "application/cloudevents+json"


class Wrong(NamedTuple):
    """A call; `audience` says whose credentials it comes with."""

    audience: str
    method: str
    path: str
    body: object = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    content: bytes | None = None


def urls(secret: str) -> Iterator[Wrong]:
    """In the path and in the query."""
    quoted = quote(secret, safe="")
    for path in (
        "/{}",
        "/docs/en/{}",
        "/docs/{}/",
        "/openapi/{}.json",
        "/docs/assets/{}",
        "/user/{}",
        "/user?api_key={}",
        "/user?key={}",
        "/user?note={}",
        "/user?profile_id={}",
    ):
        yield Wrong("customer", "GET", path.format(quoted))
    for path in (
        "/plans/{}",
        "/log_types/{}",
        "/tokens/{}",
        "/workspaces/{}",
        "/workspaces/1/keys/{}",
        "/workspaces/1/users/{}",
        "/workspaces/1/statement?period={}",
        "/plans?cursor={}",
        "/plans?limit={}",
        "/plans?token={}",
    ):
        yield Wrong("admin", "GET", "/admin/v1" + path.format(quoted))
    for path in ("/tokens/{}", "/workspaces/1/keys/{}"):
        yield Wrong("admin", "DELETE", "/admin/v1" + path.format(quoted))
    for path in (ROWS, EVENTS):
        yield Wrong("meter", "POST", f"{path}?access_token={quoted}", {"requests": []})


def headers(secret: str) -> Iterator[Wrong]:
    """In headers that carry none."""
    for name in ("User-Agent", "Referer", "Accept-Language", "Accept", "X-Request-Id", "Cookie"):
        yield Wrong("customer", "GET", "/user", headers={name: secret})
        yield Wrong("admin", "GET", "/admin/v1/plans", headers={name: secret})
    for audience, path in (("customer", "/user"), ("admin", "/admin/v1/plans"), ("meter", ROWS)):
        yield Wrong(audience, "POST", path, headers={"Content-Type": secret}, content=b"{}")
        yield Wrong(audience, "PUT", path, {"key": secret})
    for path in ("/user", "/v1/quotas", "/admin/v1/plans", "/none"):
        for value in (secret, f"Basic {secret}", f"Bearer {secret}", f"Bearer {secret} {secret}"):
            yield Wrong("nobody", "GET", path, headers={"Authorization": value})
        yield Wrong("nobody", "GET", path, headers={"X-API-Key": secret, "pubrio-api-key": secret})


def bodies(secret: str) -> Iterator[Wrong]:
    """In bodies of the customer and admin APIs."""
    usage = {"start_date": "2026-05-01", "end_date": "2026-05-02"}
    for path, body in (
        ("/api_keys/usage/daily", {"start_date": secret, "end_date": secret}),
        ("/api_keys/usage/daily", {**usage, "profile_id": secret}),
        ("/api_keys/usage/breakdown", {**usage, "log_type_slugs": secret}),
        ("/api_keys/logs", {"order_by": secret}),
        ("/api_keys/logs", {"page": secret}),
        ("/api_keys/logs/lookup", {"query_log_id": secret}),
        ("/api_keys/refusals", {**usage, "keys": secret}),
        ("/profile", {"anything": secret}),
    ):
        yield Wrong("customer", "POST", path, body)
    for method, path, admin_body in (
        ("POST", "/plans", {"slug": secret, "name": "A", "credits_per_month": 1}),
        ("POST", "/plans", {"slug": "a", "name": "A", "credits_per_month": secret}),
        ("POST", "/log_types", {"slug": "a", "name": "A", "credits": 1, "path": secret}),
        ("POST", "/workspaces", {"name": "A", "plan": secret}),
        ("POST", "/workspaces", {"name": "A", "plan": "gold", "timezone": secret}),
        ("POST", "/workspaces", {"name": "A", "plan": "gold", "owner_email": secret}),
        ("PATCH", "/workspaces/1", {"status": secret}),
        ("POST", "/workspaces/1/users", {"nickname": "A", "email": secret}),
        ("POST", "/workspaces/1/keys", {"user_id": secret}),
        ("POST", "/workspaces/1/keys", {"expires_at": secret}),
        ("POST", "/workspaces/1/keys", {"channel": secret}),
        ("POST", "/workspaces/1/keys", {"key": f"{secret} with blanks"}),
        ("POST", "/workspaces/1/keys", {"key": [secret]}),
        ("POST", "/workspaces/1/grants", {"credits": 1, "kind": secret}),
        ("POST", "/workspaces/1/corrections", {"request_id": secret, "credits": 1, "reason": "x"}),
        ("POST", "/tokens", {"name": "A", "scope": secret}),
    ):
        yield Wrong("admin", method, f"/admin/v1{path}", admin_body)
    for audience, path in (("customer", "/user"), ("admin", "/admin/v1/plans"), ("meter", ROWS)):
        for content in (b'{"x": "%b', b'["%b"]', b'"%b"', b"%b", b'{"slug": "%b"}' + b" " * 2**24):
            yield Wrong(audience, "POST", path, content=content.replace(b"%b", secret.encode()))


def rows(secret: str, key_id: str) -> Iterator[Wrong]:
    """In rows and events that are refused, and where what they hold is ignored."""
    row = {"id": "w", "key_id": key_id}
    wrong_rows: list[Any] = [
        {**row, name: secret}
        for name in ("key_id", "key", "time", "ip", "channel", "credits", "status_code")
    ]
    wrong_rows += [{**row, "source": [secret]}, {**row, "log_type": secret * 2}, secret, [secret]]
    wrong_rows += [{**row, "method": secret}, {**row, "request_headers": secret}]
    yield Wrong("meter", "POST", ROWS, {"requests": wrong_rows})
    yield Wrong("meter", "POST", ROWS, {"requests": secret})
    event = {"specversion": "1.0", "id": "w", "source": "s", "type": "people_search"}
    event["subject"] = key_id
    for attributes in (
        {"subject": secret},
        {"specversion": secret},
        {"time": secret},
        {"data": secret},
        {"data_base64": secret},
        {"data": {"ip": secret}},
        {"type": secret * 2},
    ):
        yield Wrong("meter", "POST", EVENTS, {**event, **attributes})
    ignored = {"id": f"ignored {len(secret)}", "comext": secret, "datacontenttype": secret}
    data = {"tokens": secret, "route": {"x": [secret]}}
    yield Wrong("meter", "POST", EVENTS, {**event, **ignored, "data": data})
    binary = {f"ce-{name}": value for name, value in event.items()}
    for name in ("ce-subject", "ce-specversion", "ce-time", "ce-comext"):
        yield Wrong("meter", "POST", EVENTS, headers={**binary, name: secret})


def of_our_form(secret: str, key_id: str) -> Iterator[Wrong]:
    """Where a text is told back, or kept, unless it has the form of a secret of ours."""
    quoted = quote(secret, safe="")
    usage = {"start_date": "2026-05-01", "end_date": "2026-05-02"}
    yield Wrong("customer", "POST", "/api_keys/usage/daily", {**usage, "keys": [secret]})
    yield Wrong("customer", "POST", "/api_keys/usage/breakdown", {**usage, "keys": [secret]})
    yield Wrong("customer", "POST", "/api_keys/refusals", {**usage, "keys": [secret]})
    yield Wrong("customer", "POST", "/api_keys/refusals", {**usage, secret: 1})
    yield Wrong("customer", "POST", "/api_keys/logs", {"search_term": secret})
    yield Wrong("customer", "POST", "/api_keys/logs", {"methods": [secret], "keys": [secret]})
    yield Wrong("admin", "GET", f"/admin/v1/plans?{quoted}=1")
    yield Wrong("admin", "POST", "/admin/v1/plans", {secret: 1})
    yield Wrong("admin", "POST", "/admin/v1/plans", {"x" * 40 + secret: 1})
    prices = {"slug": "a", "name": "A", "credits_per_month": 1, "prices": {secret: 1}}
    yield Wrong("admin", "POST", "/admin/v1/plans", prices)
    row = {"id": "w", "key_id": key_id}
    wrong_rows = [
        {**row, "log_type": secret},
        {**row, secret: 1},
        {**row, "x" * 40 + secret: 1},
        {**row, "id": f"path of {secret[:3]}", "path": f"/people/{secret}/x"},
    ]
    yield Wrong("meter", "POST", ROWS, {"requests": wrong_rows})
    event = {"specversion": "1.0", "id": "w", "source": "s", "type": secret, "subject": key_id}
    yield Wrong("meter", "POST", EVENTS, event)
    yield Wrong("meter", "POST", EVENTS, headers={f"ce-{k}": v for k, v in event.items()})
