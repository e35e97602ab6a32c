"""The stock client of OpenMeter, as it is published, against a server of its own process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from corehttp.exceptions import ClientAuthenticationError, HttpResponseError
from corehttp.runtime.policies import RetryPolicy
from openmeter import Client
from openmeter.aio import Client as AsyncClient
from openmeter.models import Event

from tests.support.recorders import until
from tests.support.server import RunningServer

# Few may wait, so that it is soon too many.
QUEUE_ROWS = 10
CALL_SECONDS_MAX = 30
WAITING = "farebox_queue_rows"
REFUSED = 'farebox_http_requests_total{method="POST",route="/api/v1/events",status="503"}'


class Shop(NamedTuple):
    """A server with a workspace whose key is `key_id`; `token` may report for it."""

    server: RunningServer
    key_id: str
    key: str
    token: str

    def client(self, **options: Any) -> Client:  # noqa: ANN401 - the client's own options
        """The client as its users make it."""
        return Client(endpoint=self.server.url, token=self.token, **options)

    def event(self, event_id: str, **fields: Any) -> Event:  # noqa: ANN401 - the client's own fields
        """An event as the client's users make it."""
        fields = {"type": "people_search", "subject": self.key_id, **fields}
        return Event(id=event_id, source="my-app", specversion="1.0", **fields)

    def metric(self, name: str) -> float:
        """A metric of the server; 0 before it is first counted."""
        lines = self.server.client.get(f"{self.server.url}/metrics").text.splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0)

    def requests(self) -> int:
        """How many requests the customer sees, the customer's own calls apart."""
        headers = {"X-API-Key": self.key}
        today = datetime.now(UTC).date()
        body = {
            "start_date": str(today - timedelta(days=40)),
            "end_date": str(today + timedelta(days=1)),
            "log_type_slugs": ["people_search"],
        }
        url = f"{self.server.url}/api_keys/usage/daily"
        answer = self.server.client.post(url, headers=headers, json=body).json()
        requests: int = answer["data"]["totals"]["requests"]
        return requests


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {"FAREBOX_QUEUE_ROWS": str(QUEUE_ROWS)}
    with RunningServer(tmp_path_factory.mktemp("server"), settings) as server:
        server.make("/log_types", {"slug": "people_search", "name": "People", "credits": 3})
        server.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 2000})
        made = server.make("/workspaces", {"name": "Acme", "plan": "gold"})
        key = server.make(f"/workspaces/{made['profile_id']}/keys", {})
        token = server.make("/tokens", {"name": "Client", "scope": "meter"})["token"]
        yield Shop(server, key["key_id"], key["key"], token)


def test_events_are_recorded_one_by_one_and_many_at_once(shop: Shop) -> None:
    before = shop.requests()
    with shop.client() as client:
        client.events.ingest_event(shop.event("one"))
        client.events.ingest_events([shop.event("two"), shop.event("three")])
        client.events.ingest_events_json([shop.event("four")])
        # Once more, as a client does that had no answer.
        client.events.ingest_event(shop.event("one"))
        client.events.ingest_events([shop.event("two"), shop.event("five")])
    assert shop.requests() == before + 5


async def _ingest(shop: Shop) -> None:
    async with AsyncClient(endpoint=shop.server.url, token=shop.token) as client:
        await client.events.ingest_event(shop.event("async-one"))
        await client.events.ingest_events([shop.event("async-one"), shop.event("async-two")])


def test_the_asynchronous_client_works_too(shop: Shop) -> None:
    before = shop.requests()
    with asyncio.Runner() as runner:
        runner.run(_ingest(shop))
    assert shop.requests() == before + 2


def test_any_data_is_taken_and_what_we_know_of_it_counts(shop: Shop) -> None:
    """Its own first example sends `route`; others count tokens of a model."""
    before = shop.requests()
    now = datetime.now(UTC)
    with shop.client() as client:
        client.events.ingest_event(
            shop.event(
                "hello",
                time=now,
                data={"method": "GET", "route": "/hello", "duration_ms": 10},
            )
        )
        client.events.ingest_event(
            shop.event("tokens", time=now, data={"tokens": "150", "model": {"name": "x"}})
        )
        client.events.ingest_event(shop.event("failed", time=now, data={"status_code": 500}))
    assert shop.requests() == before + 3
    found = shop.server.client.post(
        f"{shop.server.url}/api_keys/logs",
        headers={"X-API-Key": shop.key},
        json={"log_type_slugs": ["people_search"], "per_page": 100},
    ).json()["data"]["query_logs"]
    told = {
        (log["method"], log["duration_ms"], log["status_code"]): log["credits"] for log in found
    }
    assert told["GET", 10, None] == 3
    assert told[None, None, 500] == 0


def test_a_wrong_token_is_an_error_of_authentication(shop: Shop) -> None:
    for token in ("fbt_unknown", shop.key):
        with Client(endpoint=shop.server.url, token=token) as client:
            with pytest.raises(ClientAuthenticationError) as caught:
                client.events.ingest_event(shop.event("unauthorized"))
            assert caught.value.status_code == 401


def test_a_refused_event_is_an_error_that_tells_why_and_the_good_ones_count(shop: Shop) -> None:
    before = shop.requests()
    events = [shop.event("good"), shop.event("bad", type="gone"), shop.event("better")]
    with shop.client() as client, pytest.raises(HttpResponseError) as caught:
        client.events.ingest_events(events)
    assert caught.value.status_code == 400
    response: Any = caught.value.response
    answer = response.json()
    assert answer["details"]["accepted"] == 2
    (rejected,) = answer["details"]["rejected"]
    assert (rejected["index"], rejected["code"]) == (1, 42205)
    assert shop.requests() == before + 2


def test_a_recorder_that_was_killed_is_a_pause_and_all_counts_once(shop: Shop) -> None:
    before = shop.requests()
    with shop.client() as client:
        for number in range(3):
            events = [shop.event(f"killed-{number}-{part}") for part in range(3)]
            client.events.ingest_events(events[:2])
            shop.server.kill_recorder()
            client.events.ingest_events(events)
    assert shop.requests() == before + 9


@contextmanager
def paused(shop: Shop, events: list[Event]) -> Iterator[Future[None]]:
    """The recorder is stopped and a call waits for it; it goes on at the end of the `with`."""
    recorder = shop.server.recorder_pid()
    assert recorder is not None
    with shop.client() as client, ThreadPoolExecutor(1) as threads:
        os.kill(recorder, signal.SIGSTOP)
        try:
            call = threads.submit(client.events.ingest_events, events)
            until(lambda: shop.metric(WAITING) >= len(events))
            yield call
        finally:
            with suppress(ProcessLookupError):
                os.kill(recorder, signal.SIGCONT)
        call.result(CALL_SECONDS_MAX)


def test_a_call_that_a_kill_left_open_is_503_and_the_clients_retry_counts_once(
    shop: Shop,
) -> None:
    before, refused = shop.requests(), shop.metric(REFUSED)
    with paused(shop, [shop.event(f"open-{number}") for number in range(8)]) as call:
        shop.server.kill_recorder()
        call.result(CALL_SECONDS_MAX)
    assert shop.metric(REFUSED) > refused
    assert shop.requests() == before + 8


def test_what_found_no_room_is_503_and_the_clients_retry_counts_once(shop: Shop) -> None:
    before, refused = shop.requests(), shop.metric(REFUSED)
    with shop.client() as client, ThreadPoolExecutor(1) as threads:
        with paused(shop, [shop.event(f"full-{number}") for number in range(8)]):
            late = [shop.event(f"late-{number}") for number in range(3)]
            call = threads.submit(client.events.ingest_events, late)
            until(lambda: shop.metric(REFUSED) > refused)
        call.result(CALL_SECONDS_MAX)
    assert shop.requests() == before + 11


def test_a_client_that_gives_up_is_told_503(shop: Shop) -> None:
    """Without retries the client's users see what the server said."""
    many = [shop.event(f"many-{number}") for number in range(QUEUE_ROWS + 1)]
    no_retries = RetryPolicy.no_retries()
    with shop.client(retry_policy=no_retries) as client, pytest.raises(HttpResponseError) as caught:
        client.events.ingest_events(many)
    response: Any = caught.value.response
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
