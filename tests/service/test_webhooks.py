"""Webhooks: endpoints are made, changed and ended; their secrets are derived and never kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from farebox.core.errors import FareboxError
from farebox.engine.entropy import SystemEntropy
from farebox.engine.secret import ProgramSecret
from farebox.service.deliveries import list_deliveries
from farebox.service.pages import turn
from farebox.service.webhooks import (
    WEBHOOKS_MAX,
    list_webhooks,
    read_webhook,
    shown,
    signing_secret,
)
from tests.support.harness import Harness
from tests.support.homes import Home

URL = "https://example.com/hook"


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


@pytest.fixture
def secret(tmp_path: Path) -> ProgramSecret:
    return ProgramSecret("", tmp_path / "farebox.db", SystemEntropy())


def test_a_secret_has_the_form_of_the_standard_and_is_the_endpoints_own(
    secret: ProgramSecret,
) -> None:
    one, other = signing_secret(secret, "whk_1"), signing_secret(secret, "whk_2")
    assert one == signing_secret(secret, "whk_1") != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) == 32


def test_a_secret_is_shown_once_and_is_nowhere_in_the_database(
    harness: Harness, secret: ProgramSecret
) -> None:
    told = []
    for _ in range(2):
        begun = harness.call("webhooks.create", url=URL, idempotency_key="once")
        told.append(shown(begun, secret))
    assert told[0].webhook_id == told[1].webhook_id
    assert told[0].secret == signing_secret(secret, told[0].webhook_id)
    assert told[1].secret is None
    assert told[0].secret not in repr(told[0])
    key = base64.b64decode(told[0].secret.removeprefix("whsec_"))
    for content in harness.home.contents():
        assert told[0].secret.encode() not in content
        assert key not in content
        assert key.hex().encode() not in content


def test_the_record_of_changes_holds_no_url(harness: Harness) -> None:
    made = harness.call("webhooks.create", url=f"{URL}/token-of-the-receiver")
    harness.call("webhooks.change", webhook_id=made.webhook_id, url=f"{URL}/another-token")
    harness.call("webhooks.delete", webhook_id=made.webhook_id)
    rows = harness.select("select action, detail from changes where kind = 'webhook'")
    assert [action for action, _ in rows] == ["create", "change", "delete"]
    assert "token" not in "".join(detail for _, detail in rows)


def test_an_endpoint_is_changed_where_it_is_said_and_nowhere_else(harness: Harness) -> None:
    made = harness.call("webhooks.create", url=URL, event_types=["webhook.test", "alert.fired"])
    assert made.event_types == ["alert.fired", "webhook.test"]
    webhook_id = made.webhook_id
    off = harness.call("webhooks.change", webhook_id=webhook_id, is_enabled=False)
    assert (off.url, off.event_types, off.is_enabled) == (URL, made.event_types, False)
    other = harness.call("webhooks.change", webhook_id=webhook_id, url=f"{URL}/2", event_types=None)
    assert (other.url, other.event_types, other.is_enabled) == (f"{URL}/2", None, False)
    assert harness.call("webhooks.change", webhook_id=webhook_id, is_enabled=True).is_enabled
    assert read_webhook(harness.reader, webhook_id).url == f"{URL}/2"


def test_a_deleted_endpoint_is_gone_for_everyone(harness: Harness) -> None:
    webhook_id = harness.call("webhooks.create", url=URL).webhook_id
    harness.call("webhooks.delete", webhook_id=webhook_id)
    assert list_webhooks(harness.reader, turn(None, None)).data == []
    for name in ("change", "delete", "test"):
        with pytest.raises(FareboxError) as caught:
            harness.call(f"webhooks.{name}", webhook_id=webhook_id)
        assert caught.value.kind.status == 404
    with pytest.raises(FareboxError):
        list_deliveries(harness.reader, webhook_id, turn(None, None))


def test_an_endpoint_that_is_turned_off_can_not_be_tested(harness: Harness) -> None:
    webhook_id = harness.call("webhooks.create", url=URL).webhook_id
    harness.call("webhooks.change", webhook_id=webhook_id, is_enabled=False)
    with pytest.raises(FareboxError) as caught:
        harness.call("webhooks.test", webhook_id=webhook_id)
    assert caught.value.kind.name == "webhook_disabled"


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        ({"url": "http://example.com/"}, "url", "an https URL"),
        ({"url": "ftp://x", "is_http_allowed": True}, "url", "an http or https URL"),
        ({"url": URL, "event_types": []}, "event_types", "some of alert.fired"),
        ({"url": URL, "event_types": ["alert.fried"]}, "event_types", "some of alert.fired"),
    ],
)
def test_an_endpoint_that_can_not_be_is_refused_by_name(
    harness: Harness, fields: dict[str, object], field: str, expected: str
) -> None:
    body = msgspec.json.encode(fields)
    with pytest.raises(FareboxError) as caught:
        harness.call("webhooks.create", **msgspec.json.decode(body))
    assert caught.value.kind.status == 422
    assert caught.value.params["field"] == field
    assert str(caught.value.params["expected"]).startswith(expected)
    assert harness.select("select count(*) from webhooks") == [(0,)]


def test_an_endpoint_of_no_workspace_is_refused(harness: Harness) -> None:
    with pytest.raises(FareboxError) as caught:
        harness.call("webhooks.create", url=URL, profile_id=99)
    assert caught.value.kind.status == 404


def test_there_are_only_so_many_endpoints_for_each_workspace(harness: Harness) -> None:
    profile_id = harness.workspace()
    last = harness.call("webhooks.create", url=URL, profile_id=profile_id)
    for _ in range(WEBHOOKS_MAX - 1):
        harness.call("webhooks.create", url=URL, profile_id=profile_id)
    with pytest.raises(FareboxError) as caught:
        harness.call("webhooks.create", url=URL, profile_id=profile_id)
    assert caught.value.kind.name == "too_many"
    harness.call("webhooks.create", url=URL)
    harness.call("webhooks.delete", webhook_id=last.webhook_id)
    harness.call("webhooks.create", url=URL, profile_id=profile_id)


def test_endpoints_are_listed_for_one_workspace_or_all(harness: Harness) -> None:
    profile_id = harness.workspace()
    own = harness.call("webhooks.create", url=URL, profile_id=profile_id)
    harness.advance(1)
    everyones = harness.call("webhooks.create", url=URL)
    at = turn(None, None)
    listed = list_webhooks(harness.reader, at).data
    assert [w.webhook_id for w in listed] == [own.webhook_id, everyones.webhook_id]
    assert [w.profile_id for w in listed] == [profile_id, None]
    assert list_webhooks(harness.reader, at, profile_id).data == listed[:1]


def test_the_log_of_an_endpoint_is_read_page_by_page_the_newest_first(harness: Harness) -> None:
    webhook_id = harness.call("webhooks.create", url=URL).webhook_id
    made = []
    for _ in range(5):
        made.append(harness.call("webhooks.test", webhook_id=webhook_id).message_id)
        harness.advance(1)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = list_deliveries(harness.reader, webhook_id, turn(cursor, 2))
        seen += [delivery.message_id for delivery in found.data]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]
