"""Webhooks and alerts over HTTP: the secret once, errors by name, one workspace's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from farebox.engine.paths import secret_path
from farebox.service.webhooks import signing_secret
from tests.support.admin import Admin
from tests.support.api import Api
from tests.support.harness import Harness

URL = "https://example.com/hook"
ALERT = {"kind": "credits", "thresholds": [50]}


def test_the_secret_of_a_webhook_is_told_in_the_first_answer_only(admin: Admin) -> None:
    made = admin.make("/webhooks", {"url": URL}, idempotency_key="once")
    assert made["secret"] == signing_secret(admin.api.context.secret, made["webhook_id"])
    again = admin.make("/webhooks", {"url": URL}, idempotency_key="once")
    assert again == {**made, "secret": None}
    kept = {name: value for name, value in made.items() if name != "secret"}
    assert admin.get(f"/webhooks/{made['webhook_id']}") == kept
    assert admin.get("/webhooks")["data"] == [kept]
    assert admin.change(f"/webhooks/{made['webhook_id']}", {}) == kept


def test_a_test_event_stands_among_the_deliveries(admin: Admin) -> None:
    webhook_id = admin.make("/webhooks", {"url": URL})["webhook_id"]
    message_id = admin.make(f"/webhooks/{webhook_id}/test", {})["message_id"]
    (delivery,) = admin.get(f"/webhooks/{webhook_id}/deliveries")["data"]
    assert delivery["message_id"] == message_id
    assert delivery["event_type"] == "webhook.test"
    assert delivery["delivered_at"] is None
    # Called without a body, too.
    assert admin.call("POST", f"/webhooks/{webhook_id}/test").status_code == 201


def test_a_webhook_is_deleted_for_good(admin: Admin) -> None:
    webhook_id = admin.make("/webhooks", {"url": URL})["webhook_id"]
    assert admin.call("DELETE", f"/webhooks/{webhook_id}").status_code == 204
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
    ):
        body: object = {} if method in {"PATCH", "POST"} else None
        assert admin.call(method, f"/webhooks/{webhook_id}{path}", body).status_code == 404


def test_webhooks_of_one_workspace_can_be_listed(admin: Admin) -> None:
    profile_id = admin.workspace()
    own = admin.make("/webhooks", {"url": URL, "profile_id": profile_id})
    admin.make("/webhooks", {"url": URL})
    (listed,) = admin.get(f"/webhooks?profile_id={profile_id}")["data"]
    assert listed["webhook_id"] == own["webhook_id"]
    assert admin.call("GET", "/webhooks?profile_id=x").status_code == 400


@pytest.mark.parametrize("is_private", [False, True])
def test_plain_http_is_taken_where_private_addresses_are(tmp_path: Path, is_private: bool) -> None:
    settings = {"FAREBOX_WEBHOOK_PRIVATE": "on" if is_private else "off"}
    with Harness(tmp_path) as harness, Api(harness, settings) as api:
        response = Admin(api).call("POST", "/webhooks", {"url": "http://127.0.0.1:9/"})
        assert response.status_code == (201 if is_private else 422)


def test_an_alert_is_the_workspaces_own(admin: Admin) -> None:
    own, other = admin.workspace(), admin.workspace(name="Other")
    alert = admin.make(f"/workspaces/{own}/alerts", ALERT)
    assert alert["fired"] == []
    assert admin.get(f"/workspaces/{own}/alerts")["data"] == [alert]
    assert admin.get(f"/workspaces/{other}/alerts")["data"] == []
    path = f"/alerts/{alert['alert_id']}"
    assert admin.call("DELETE", f"/workspaces/{other}{path}").status_code == 404
    assert admin.call("DELETE", f"/workspaces/{own}{path}").status_code == 204
    assert admin.get(f"/workspaces/{own}/alerts")["data"] == []


def test_what_fired_is_listed_with_its_alert(admin: Admin) -> None:
    profile_id = admin.workspace()
    alert = admin.make(f"/workspaces/{profile_id}/alerts", ALERT)
    crossing = {
        "profile_id": profile_id,
        "alert_id": alert["alert_id"],
        "threshold_percent": 50,
        "window_start_ms": 0,
        "window_end_ms": 1,
        "used": 1_500_000,
        "allowed": 3_000_000,
        "user_id": None,
    }
    admin.api.harness.call("alerts.fire", crossings=[crossing])
    ((fired,),) = [a["fired"] for a in admin.get(f"/workspaces/{profile_id}/alerts")["data"]]
    assert (str(fired["used"]), fired["limit"], fired["user_id"]) == ("1.5", 3, None)
    assert fired["window_start"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("thresholds", [[], [0], [1001], [1] * 11, ["50"], [50.5], 50])
def test_thresholds_that_can_not_be_are_refused_by_name(admin: Admin, thresholds: object) -> None:
    profile_id = admin.workspace()
    body = {"kind": "credits", "thresholds": thresholds}
    response = admin.call("POST", f"/workspaces/{profile_id}/alerts", body)
    assert response.status_code in {400, 422}
    assert "thresholds" in response.json()["message"]


def test_no_webhook_is_made_whose_secret_could_not_be_told(admin: Admin) -> None:
    secret_path(admin.api.harness.path).write_text("short")
    assert admin.call("POST", "/webhooks", {"url": URL}).status_code == 503
    assert admin.get("/webhooks")["data"] == []
