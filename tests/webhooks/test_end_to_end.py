"""From a request to a receiver's own check: real servers, a real recorder, a real receiver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from farebox.engine.paths import secret_path
from tests.support.receiver import Receiver, status
from tests.support.recorders import until
from tests.support.server import RunningServer

PRIVATE = {"FAREBOX_WEBHOOK_PRIVATE": "on"}


def shop(server: RunningServer) -> dict[str, Any]:
    """A workspace with one key, and an alert at half of its hour."""
    server.make(
        "/plans",
        {
            "slug": "gold",
            "name": "Gold",
            "credits_per_month": 1000,
            "limits": {"api": {"hour": 4}},
            "is_quota_sharing_available": True,
        },
    )
    made = server.make(
        "/workspaces", {"name": "Acme", "plan": "gold", "is_quota_sharing_enabled": True}
    )
    workspace = f"/workspaces/{made['profile_id']}"
    alert = {"kind": "hour", "channel": "api", "thresholds": [50]}
    server.make(f"{workspace}/alerts", alert)
    key: dict[str, Any] = server.make(f"{workspace}/keys", {})
    return key


def use(server: RunningServer, key_id: str, *ids: str) -> None:
    """Report some requests."""
    rows = [{"id": request_id, "key_id": key_id} for request_id in ids]
    assert server.call("POST", "/v1/requests", {"requests": rows}).json()["accepted"] == len(ids)


@pytest.mark.parametrize("is_configured", [True, False])
def test_a_limit_that_nears_is_told_to_a_receiver_that_checks_the_signature(
    tmp_path: Path, is_configured: bool
) -> None:
    settings = {**PRIVATE, "FAREBOX_LOG_LEVEL": "debug"}
    if is_configured:
        settings["FAREBOX_SECRET"] = "x" * 32
    with Receiver(status(200)) as receiver, RunningServer(tmp_path, settings) as server:
        url = f"{receiver.url}/path-that-is-a-secret"
        secret = server.make("/webhooks", {"url": url})["secret"]
        key = shop(server)
        use(server, key["key_id"], "1", "2")
        until(lambda: bool(receiver.received))
        (got,) = receiver.received
        told = Webhook(secret).verify(got.body, got.headers)
        assert told["type"] == "alert.fired"
        data = told["data"]
        assert (data["threshold_percent"], data["used"], data["limit"]) == (50, 2, 4)
        assert secret_path(server.database).exists() is not is_configured
        metrics = server.client.get(f"{server.url}/metrics").text
        assert "farebox_alerts_fired_total 1.0" in metrics
        until(
            lambda: (
                b'outcome="delivered"} 1.0' in server.client.get(f"{server.url}/metrics").content
            )
        )
        # The client's own log would tell the URL.
        assert "farebox" in server.errors()
        assert "path-that-is-a-secret" not in server.errors()
        assert secret.removeprefix("whsec_") not in server.errors()


def test_what_waits_is_sent_after_a_kill_under_the_same_secret(tmp_path: Path) -> None:
    with Receiver(status(200)) as receiver, RunningServer(tmp_path, PRIVATE) as server:
        made = server.make("/webhooks", {"url": receiver.url})
        key = shop(server)
        # What is acknowledged is told, though whoever would tell it is killed at once.
        use(server, key["key_id"], "1", "2")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.process = None
        server.start()
        until(lambda: bool(receiver.received))
        Webhook(made["secret"]).verify(receiver.received[0].body, receiver.received[0].headers)
        assert len({got.headers["webhook-id"] for got in receiver.received}) == 1


def test_a_receiver_inside_is_not_reached_unless_it_is_allowed(tmp_path: Path) -> None:
    with Receiver() as receiver, RunningServer(tmp_path) as server:
        url = receiver.url.replace("http://", "https://")
        webhook_id = server.make("/webhooks", {"url": url})["webhook_id"]
        server.make(f"/webhooks/{webhook_id}/test", {})

        def log() -> dict[str, Any]:
            listed = server.call("GET", f"/admin/v1/webhooks/{webhook_id}/deliveries").json()
            delivery: dict[str, Any] = listed["data"][0]
            return delivery

        until(lambda: log()["last_error"] is not None)
        assert log()["last_error"] == "the host is none of the public Internet"
        assert receiver.received == []
