"""The deliverer: each message is sent until it is taken, once where nothing fails, for a day."""

from __future__ import annotations

import asyncio
import logging
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.core.webhook import ATTEMPTS_MAX, RETRY_AFTER_MS
from farebox.engine.outbox import emit
from farebox.service.deliveries import KEPT_MS, LEASE_MS, PER_WEBHOOK_MAX
from farebox.store.sqlite.database import open_writer
from tests.support.receiver import Receiver, status
from tests.webhooks.posts import Office, data_of


def event(office: Office, profile_id: int, event_type: str = "alert.fired") -> str | None:
    """An event, as what causes one writes it."""
    writer = open_writer(office.harness.path)
    try:
        writer.begin()
        now_ms, entropy = office.harness.now_ms, office.harness.entropy
        message_id = emit(writer, profile_id, event_type, {"x": 1}, now_ms, entropy)
        writer.commit()
    finally:
        writer.close()
    return message_id


def test_a_message_is_signed_as_the_standard_library_of_receivers_demands(office: Office) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        message_id = office.test(webhook_id)
        office.send()
    (got,) = receiver.received
    library = Webhook(office.secret_of(webhook_id))
    told = library.verify(got.body, got.headers)
    assert told == data_of(got.body)
    assert told["type"] == "webhook.test"
    assert told["data"] == {"webhook_id": webhook_id, "profile_id": None}
    assert got.headers["webhook-id"] == message_id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "Farebox/1.2.3"
    for body, headers in (
        (got.body.replace(b"webhook.test", b"webhook.tess"), got.headers),
        (got.body, {**got.headers, "webhook-id": "msg_other"}),
        (
            got.body,
            {
                **got.headers,
                "webhook-timestamp": str(int(office.harness.now_ms // 1000))[:-1] + "x",
            },
        ),
    ):
        with pytest.raises(WebhookVerificationError):
            library.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(office.secret_of("whk_another")).verify(got.body, got.headers)


def test_what_was_taken_is_never_sent_again(office: Office) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        office.send()
        office.harness.advance(days=2)
        office.send()
        assert len(receiver.received) == 1
    (row,) = office.log(webhook_id)
    assert (row["attempts"], row["last_status"], row["last_error"]) == (1, 204, None)
    assert row["delivered_at_ms"] is not None
    assert row["next_attempt_at_ms"] is row["gave_up_at_ms"] is None
    assert office.outcomes() == {"delivered": 1}


def test_a_message_is_sent_again_by_the_schedule_and_then_given_up(office: Office) -> None:
    with Receiver(status(500)) as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        began_ms = office.harness.now_ms
        for attempt in range(1, ATTEMPTS_MAX + 1):
            office.send()
            assert len(receiver.received) == attempt
            (row,) = office.log(webhook_id)
            assert (row["attempts"], row["last_status"]) == (attempt, 500)
            assert row["last_error"] == "the answer was 500"
            if attempt < ATTEMPTS_MAX:
                wait_ms = row["next_attempt_at_ms"] - office.harness.now_ms
                assert RETRY_AFTER_MS[attempt - 1] <= wait_ms < RETRY_AFTER_MS[attempt - 1] * 1.2
                office.harness.advance(wait_ms - 1)
                office.send()
                assert len(receiver.received) == attempt
                office.harness.advance(1)
        (row,) = office.log(webhook_id)
        assert row["gave_up_at_ms"] == office.harness.now_ms
        assert 24 * MS_PER_HOUR < office.harness.now_ms - began_ms < 30 * MS_PER_HOUR
        office.harness.advance(days=2)
        office.send()
        assert len(receiver.received) == ATTEMPTS_MAX
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert office.outcomes() == {"retried": ATTEMPTS_MAX - 1, "gave_up": 1}


def test_a_message_that_fails_first_is_delivered_later(office: Office) -> None:
    with Receiver(status(503), status(200)) as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        office.send()
        office.harness.advance(minutes=1)
        office.send()
    (row,) = office.log(webhook_id)
    assert (row["attempts"], row["last_status"], row["last_error"]) == (2, 200, None)
    assert row["delivered_at_ms"] == office.harness.now_ms


def test_what_was_committed_before_a_crash_is_sent_after_it(office: Office) -> None:
    with Receiver() as receiver:
        office.webhook(receiver.url)
        message_id = event(office, office.harness.workspace())
        office.harness.recorder.close()
        office.send()
        assert [got.headers["webhook-id"] for got in receiver.received] == [message_id]


def test_what_a_dead_process_had_claimed_is_sent_after_its_lease(office: Office) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        message_id = office.test(webhook_id)
        claimed = office.harness.call("deliveries.claim", count=20)
        assert [c.message_id for c in claimed.claimed] == [message_id]
        office.harness.advance(LEASE_MS - 1)
        office.send()
        assert receiver.received == []
        office.harness.advance(1)
        office.send()
        assert [got.headers["webhook-id"] for got in receiver.received] == [message_id]
        # The first one wasn't dead after all, and is too late to say that it failed.
        late: dict[str, Any] = {
            **{name: getattr(claimed.claimed[0], name) for name in ("profile_id", "message_id")},
            "webhook_id": webhook_id,
            "attempt": 1,
            "status": None,
            "duration_ms": 1,
            "error": "it took too long",
        }
        office.harness.call("deliveries.finish", **late)
    (row,) = office.log(webhook_id)
    assert row["delivered_at_ms"] is not None
    assert row["next_attempt_at_ms"] is None


def test_of_several_processes_one_sends_a_message(office: Office) -> None:
    async def race() -> None:
        deliverers = [office.deliverer() for _ in range(3)]
        await asyncio.gather(*(deliverer.round() for deliverer in deliverers))
        await asyncio.gather(*(deliverer.idle() for deliverer in deliverers))

    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        messages = {office.test(webhook_id) for _ in range(3)}
        asyncio.run(race())
        assert len(receiver.received) == 3
        assert {got.headers["webhook-id"] for got in receiver.received} == messages


def test_an_endpoint_that_says_it_is_gone_is_turned_off(office: Office) -> None:
    profile_id = office.harness.workspace()
    with Receiver(status(410)) as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        office.harness.advance(1)
        office.send()
        assert event(office, profile_id) is None
        (row,) = office.log(webhook_id)
        assert row["gave_up_at_ms"] == office.harness.now_ms
        office.harness.advance(days=1)
        office.send()
        assert len(receiver.received) == 1
        changed = office.harness.call("webhooks.change", webhook_id=webhook_id, is_enabled=True)
        assert changed.is_enabled
        assert event(office, profile_id) is not None


@pytest.mark.parametrize("end", ["change", "delete"])
def test_what_waits_for_an_endpoint_that_ends_is_given_up(office: Office, end: str) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        fields: dict[str, Any] = {"is_enabled": False} if end == "change" else {}
        office.harness.call(f"webhooks.{end}", webhook_id=webhook_id, **fields)
        office.send()
        assert receiver.received == []
    (row,) = office.log(webhook_id)
    assert row["gave_up_at_ms"] == office.harness.now_ms
    assert row["last_error"] == "the webhook was turned off"
    assert office.outcomes() == {"gave_up": 1}


def test_a_slow_endpoint_delays_no_other(office: Office) -> None:
    is_over = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        is_over.wait(30)
        status(200)(handler)

    async def run() -> None:
        deliverer = office.deliverer()
        # The slow one is full after the first round, and left alone in the second.
        await deliverer.round()
        office.test(other)
        await deliverer.round()
        async with asyncio.timeout(30):
            await asyncio.to_thread(fast_has_all.wait)
        is_over.set()
        await deliverer.idle()

    fast_has_all = threading.Event()
    answered = threading.Semaphore(0)

    def fast(handler: BaseHTTPRequestHandler) -> None:
        status(200)(handler)
        answered.release()
        if len(others.received) == 2:
            fast_has_all.set()

    with Receiver(slow) as receiver, Receiver(fast) as others:
        webhook_id, other = office.webhook(receiver.url), office.webhook(others.url)
        for _ in range(3 * PER_WEBHOOK_MAX):
            office.test(webhook_id)
        office.test(other)
        asyncio.run(run())
        assert len(receiver.received) == PER_WEBHOOK_MAX
        assert len(others.received) == 2


def test_who_wants_an_event_gets_it_and_nobody_else(office: Office) -> None:
    own, foreign = office.harness.workspace(), office.harness.workspace(name="Other")
    with Receiver() as receiver:
        wanted = {
            office.webhook(f"{receiver.url}/all"): True,
            office.webhook(f"{receiver.url}/own", profile_id=own): True,
            office.webhook(f"{receiver.url}/type", event_types=["alert.fired"]): True,
            office.webhook(f"{receiver.url}/foreign", profile_id=foreign): False,
            office.webhook(f"{receiver.url}/other", event_types=["credits.auto_top_up"]): False,
        }
        message_id = event(office, own)
        office.send()
        assert {got.path.rpartition("/")[2] for got in receiver.received} == {"all", "own", "type"}
        assert {got.headers["webhook-id"] for got in receiver.received} == {message_id}
        # Each with its own secret.
        assert len({got.headers["webhook-signature"] for got in receiver.received}) == 3
    for webhook_id, is_wanted in wanted.items():
        assert bool(office.log(webhook_id)) is is_wanted


def test_nothing_is_written_where_nobody_wants_it(office: Office) -> None:
    assert event(office, office.harness.workspace()) is None
    assert office.harness.select("select count(*) from webhook_messages") == [(0,)]


def test_a_store_that_is_gone_puts_it_off_and_loses_nothing(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url + "/path-that-is-a-secret")
        office.test(webhook_id)
        office.store.is_gone = True
        office.send()
        assert receiver.received == []
        office.store.is_gone = False
        office.send()
        assert len(receiver.received) == 1
    assert [record.levelno for record in caplog.records if record.name == "farebox.webhooks"] == [
        logging.WARNING
    ]
    assert "path-that-is-a-secret" not in caplog.text


def test_old_messages_are_forgotten_in_time_and_no_earlier(office: Office) -> None:
    with Receiver() as receiver:
        webhook_id = office.webhook(receiver.url)
        old = office.test(webhook_id)
        office.send()
        office.harness.advance(KEPT_MS)
        new = office.test(webhook_id)
        office.send()
        assert [row["message_id"] for row in office.log(webhook_id)] == [old, new]
        office.harness.advance(2 * MS_PER_HOUR)
        office.send()
        assert [row["message_id"] for row in office.log(webhook_id)] == [new]
        assert office.harness.select("select message_id from webhook_messages") == [(new,)]
    assert KEPT_MS > 2 * MS_PER_DAY


def test_an_idle_outbox_is_not_written_to(office: Office) -> None:
    office.webhook("https://example.com/")
    before = office.harness.select("select count(*) from commits")
    office.send(rounds=3)
    assert office.harness.select("select count(*) from commits") == before


def test_what_is_being_sent_when_the_server_stops_is_finished(office: Office) -> None:
    has_come, may_go = threading.Event(), threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        has_come.set()
        may_go.wait(30)
        status(200)(handler)

    async def run() -> None:
        serving = asyncio.create_task(office.deliverer().run())
        await asyncio.to_thread(has_come.wait)
        serving.cancel()
        asyncio.get_running_loop().call_soon(may_go.set)
        await asyncio.wait([serving])

    with Receiver(slow) as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        asyncio.run(run())
    (row,) = office.log(webhook_id)
    assert row["delivered_at_ms"] is not None


def test_a_server_that_stops_leaves_a_receiver_that_does_not_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farebox.webhooks.deliverer.STOP_SECONDS_MAX", 0.05)
    has_come, may_go = threading.Event(), threading.Event()

    def endless(_: BaseHTTPRequestHandler) -> None:
        has_come.set()
        may_go.wait(30)

    async def run() -> None:
        serving = asyncio.create_task(office.deliverer().run())
        await asyncio.to_thread(has_come.wait)
        serving.cancel()
        await asyncio.wait([serving])
        may_go.set()

    with Receiver(endless) as receiver:
        webhook_id = office.webhook(receiver.url)
        office.test(webhook_id)
        asyncio.run(run())
    (row,) = office.log(webhook_id)
    assert (row["attempts"], row["delivered_at_ms"], row["gave_up_at_ms"]) == (1, None, None)
