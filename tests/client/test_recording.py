"""What `record` collects: sent in time, within bounds, and answered for row by row."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import msgspec
import pytest

from farebox.client import (
    ApiError,
    Batching,
    BufferFullError,
    ClosedError,
    FailedRow,
    RequestRow,
    RetryPolicy,
    TransportError,
)
from farebox.core.identity import parse_uuid
from tests.client.hands import (
    HandOutside,
    Network,
    async_client,
    client,
    ok,
    opened,
    recorded,
    unavailable,
)
from tests.support.recorders import until

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
NEVER = Batching(age_seconds_max=3_600)
ONCE = RetryPolicy(attempts_max=1)


@COLOURS
def test_requests_are_sent_together_with_an_id_and_a_time_each(colour: str) -> None:
    network = Network(recorded)
    with opened(colour, network, batching=NEVER) as made:
        ids = [made.record(key_id="key_1", log_type="people_search") for _ in range(3)]
        assert not network.sent
        made.flush()
        assert network.ids() == [ids]
    assert len(network.sent) == 1
    assert all(parse_uuid(text) and text[14] == "7" for text in ids)
    assert len(set(ids)) == 3
    (body,) = network.bodies()
    assert body["requests"][0]["time"] == "2026-05-05T16:53:20.000Z"


def test_a_request_is_told_in_full_and_exactly() -> None:
    network = Network(recorded)
    with client(network, batching=NEVER) as made:
        made.record(
            key="key-of-somebody",
            id="mine",
            source="gateway-1",
            log_type=None,
            time=datetime(2026, 5, 5, 12, tzinfo=UTC),
            credits=Decimal("0.100001"),
            method="POST",
            path="/people",
            status_code=200,
            duration_ms=7,
            response_size=3,
            ip="192.0.2.1",
            channel="portal",
            request_headers={"a": "b"},
            request_body="c",
            response_body="d",
        )
    assert b'"credits":0.100001' in network.sent[0].content
    (row,) = network.bodies()[0]["requests"]
    assert row == {
        "id": "mine",
        "source": "gateway-1",
        "key": "key-of-somebody",
        "log_type": None,
        "time": "2026-05-05T12:00:00+00:00",
        "credits": 0.100001,
        "method": "POST",
        "path": "/people",
        "status_code": 200,
        "duration_ms": 7,
        "response_size": 3,
        "ip": "192.0.2.1",
        "channel": "portal",
        "request_headers": {"a": "b"},
        "request_body": "c",
        "response_body": "d",
    }


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "key"),
        ({"key": "a-key-of-ours", "key_id": "key_1"}, "key"),
        ({"key_id": "key_1", "time": datetime(2026, 5, 5)}, "timezone"),  # noqa: DTZ001 - the mistake
        ({"key_id": "key_1", "credits": 1.5}, "not a float"),
        ({"key_id": "key_1", "credits": "0.0000001"}, "6 decimal places"),
        ({"key_id": "key_1", "path": "\ud800"}, "surrogates"),
    ],
    ids=str,
)
@COLOURS
def test_what_can_not_be_is_refused_where_it_is_told(
    colour: str, wrong: dict[str, object], why: str
) -> None:
    network = Network(recorded)
    with opened(colour, network) as made, pytest.raises((ValueError, TypeError), match=why):
        made.record(**wrong)
    assert not network.sent


@COLOURS
def test_a_flush_sends_no_more_at_once_than_the_setting(colour: str) -> None:
    network = Network(recorded)
    batching = Batching(rows_max=4, age_seconds_max=3_600)
    with opened(colour, network, batching=batching) as made:
        ids = [made.record(key_id="key_1", id=str(number)) for number in range(11)]
        made.flush()
    assert all(len(call) <= 4 for call in network.ids())
    assert sum(network.ids(), []) == ids  # noqa: RUF017 - three short lists


def test_a_full_batch_is_sent_in_the_background() -> None:
    arrived = threading.Event()

    def heard(request: httpx.Request) -> httpx.Response:
        arrived.set()
        return recorded(request)

    network = Network(heard)
    with client(network, batching=Batching(rows_max=3, age_seconds_max=3_600)) as made:
        for _ in range(3):
            made.record(key_id="key_1")
        assert arrived.wait(60)
    assert [len(call) for call in network.ids()] == [3]


def test_an_old_batch_is_sent_in_the_background() -> None:
    arrived = threading.Event()

    def heard(request: httpx.Request) -> httpx.Response:
        arrived.set()
        return recorded(request)

    network = Network(heard)
    with client(network, batching=Batching(age_seconds_max=0)) as made:
        made.record(key_id="key_1")
        assert arrived.wait(60)
    assert [len(call) for call in network.ids()] == [1]


@pytest.mark.parametrize(
    ("batching", "rows"),
    [(Batching(rows_max=3, age_seconds_max=3_600), 3), (Batching(age_seconds_max=0), 1)],
    ids=["full", "old"],
)
def test_an_event_loop_sends_full_and_old_batches_meanwhile(batching: Batching, rows: int) -> None:
    async def main() -> None:
        arrived = asyncio.Event()

        def heard(request: httpx.Request) -> httpx.Response:
            arrived.set()
            return recorded(request)

        network = Network(heard)
        async with async_client(network, batching=batching) as made:
            for _ in range(rows):
                made.record(key_id="key_1")
            await asyncio.wait_for(arrived.wait(), 60)
        assert [len(call) for call in network.ids()] == [rows]

    asyncio.run(main())


@COLOURS
def test_closing_sends_what_waits_and_takes_no_more(colour: str) -> None:
    network = Network(recorded)
    with opened(colour, network, batching=NEVER) as made:
        made.record(key_id="key_1", id="last")
        made.close()
        assert network.ids() == [["last"]]
        with pytest.raises(ClosedError):
            made.record(key_id="key_1")
        with pytest.raises(ClosedError):
            made.record_all([])
        with pytest.raises(ClosedError):
            made.void("rsv_1")
    assert len(network.sent) == 1


@COLOURS
def test_what_was_not_recorded_is_told_with_its_request(colour: str) -> None:
    answer = ok(
        accepted=1,
        duplicates=0,
        conflicts=[{"index": 2, "id": "c"}],
        rejected=[{"index": 0, "code": 42204, "message": "No such key."}],
    )
    failed: list[FailedRow] = []
    with opened(colour, Network(answer), batching=NEVER, on_failure=failed.append) as made:
        for name in "abc":
            made.record(key_id="key_1", id=name, path=f"/{name}")
        made.flush()
        assert [(f.reason, f.row.id, f.row.path, f.code) for f in failed] == [
            ("rejected", "a", "/a", 42204),
            ("conflict", "c", "/c", None),
        ]


def test_an_on_failure_that_fails_keeps_no_other_from_being_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = []

    def fail(failure: FailedRow) -> None:
        told.append(failure.row.id)
        raise RuntimeError

    answer = ok(
        accepted=0,
        duplicates=0,
        conflicts=[{"index": 0, "id": "a"}, {"index": 1, "id": "b"}],
        rejected=[],
    )
    with client(Network(answer), batching=NEVER, on_failure=fail) as made:
        made.record(key_id="key_1", id="a")
        made.record(key_id="key_1", id="b")
        made.flush()
    assert told == ["a", "b"]
    assert "on_failure failed for request b" in caplog.text


def test_without_an_on_failure_the_log_tells(caplog: pytest.LogCaptureFixture) -> None:
    rejected = [{"index": 0, "code": 42204, "message": "No such key."}]
    answer = ok(accepted=0, duplicates=0, conflicts=[], rejected=rejected)
    with client(Network(answer), batching=NEVER) as made:
        made.record(key_id="key_1", id="mine")
    assert "request mine was not recorded (rejected): No such key." in caplog.text


@COLOURS
def test_a_flush_that_fails_says_so_and_loses_nothing(colour: str) -> None:
    network = Network(httpx.ConnectError("refused"), unavailable(), httpx.Response(401), recorded)
    with opened(colour, network, batching=NEVER, retry=ONCE) as made:
        made.record(key_id="key_1", id="mine")
        for error in (TransportError, ApiError, ApiError):
            with pytest.raises(error):
                made.flush()
        made.flush()
        made.flush()
    assert network.ids() == [["mine"]] * 4
    assert len({request.content for request in network.sent}) == 1


@COLOURS
def test_closing_without_a_server_tells_what_was_not_sent(colour: str) -> None:
    failed: list[FailedRow] = []
    outside = HandOutside()
    network = Network(httpx.ConnectError("refused"))
    with opened(colour, network, outside=outside, batching=NEVER, on_failure=failed.append) as made:
        made.record(key_id="key_1", id="a")
        made.record(key_id="key_1", id="b")
        with pytest.raises(TransportError):
            made.close()
        assert [(f.reason, f.row.id) for f in failed] == [("unsent", "a"), ("unsent", "b")]
        made.close()  # nothing is left to tell
    assert outside.seconds <= RetryPolicy().total_seconds_max


def test_a_background_that_fails_waits_and_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    outside = HandOutside()
    network = Network(httpx.ConnectError("refused"), recorded)
    batching = Batching(rows_max=1)
    with client(network, outside, batching=batching, retry=ONCE) as made:
        made.record(key_id="key_1", id="a")
        until(lambda: "1 requests wait to be recorded" in caplog.text)
        outside.seconds += 1.0  # the wait is over; the next request is what makes it look
        made.record(key_id="key_1", id="b")
        until(lambda: sum(network.ids(), []) == ["a", "a", "b"])  # noqa: RUF017 - short lists


@COLOURS
def test_a_full_buffer_takes_no_more_and_says_so(colour: str) -> None:
    batching = Batching(age_seconds_max=3_600, buffer_rows_max=2)
    with opened(colour, Network(recorded), batching=batching) as made:
        made.record(key_id="key_1")
        made.record(key_id="key_1")
        with pytest.raises(BufferFullError) as full:
            made.record(key_id="key_1")
        assert full.value.is_temporary
        made.flush()
        made.record(key_id="key_1")


def test_threads_may_record_and_flush_at_once() -> None:
    network = Network(recorded)
    ids: list[str] = []
    with client(network, batching=Batching(rows_max=7, age_seconds_max=0)) as made:

        def work() -> None:
            for _ in range(100):
                ids.append(made.record(key_id="key_1"))  # noqa: PERF401 - what is tested
            made.flush()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    sent = sum(network.ids(), [])  # noqa: RUF017 - short lists
    assert len(sent) == len(set(sent)) == 400
    assert set(sent) == set(ids)


def test_what_is_none_is_not_told() -> None:
    network = Network(recorded)
    with client(network, batching=NEVER) as made:
        made.record(key_id="key_1", id="mine", time="2026-05-05T12:00:00Z", credits=None, ip=None)
    row = {"id": "mine", "key_id": "key_1", "time": "2026-05-05T12:00:00Z"}
    assert network.bodies()[0]["requests"] == [row]


def test_without_an_event_loop_nothing_is_taken() -> None:
    network = Network(recorded)
    made = async_client(network)
    with pytest.raises(RuntimeError, match="no running event loop"):
        made.record(key_id="key_1")
    asyncio.run(made.close())
    assert not network.sent


def test_a_loop_that_cancels_everything_can_still_be_flushed() -> None:
    network = Network(recorded)

    async def main() -> None:
        made = async_client(network, batching=NEVER)
        made.record(key_id="key_1", id="mine")
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await made.close()

    asyncio.run(main())
    assert network.ids() == [["mine"]]


def test_rows_of_ones_own_are_recorded_at_once() -> None:
    network = Network(recorded)
    with client(network) as made:
        rows = [RequestRow(id=str(n), key_id="key_1", credits=Decimal("1.5")) for n in range(3)]
        assert made.record_all(rows).accepted == 3
        with pytest.raises(ValueError, match="10000"):
            made.record_all(rows * 4_000)
    assert msgspec.json.decode(network.sent[0].content)["requests"][0]["credits"] == 1.5
