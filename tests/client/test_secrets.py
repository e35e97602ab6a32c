"""No token and no key is shown: not in a repr, not in an error, not in a log, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from farebox.client import (
    Batching,
    Client,
    FailedRow,
    FareboxClientError,
    KeyCreate,
    RetryPolicy,
    Secret,
)
from farebox.client.admin_calls import create_key
from farebox.client.call import Caller
from farebox.client.gate_calls import authorize_call
from tests.client.hands import URL, HandOutside, Network, Play, Played, async_client, ok, recorded

# Neither has the form of Farebox's own, which would be struck out by that alone.
TOKEN = 'token-Wq7"canary\\'
KEY = "key-Zx9-canary"
CANARY = "canary"
NEVER = Batching(age_seconds_max=3_600)


def everything(error: BaseException) -> str:
    """An error as a program's log would show it, with its causes."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


def open_client(network: Network, **more: Any) -> Client:  # noqa: ANN401 - as `Client`
    outside = HandOutside()
    transport = httpx.MockTransport(network.answer)
    return Client(
        URL, Secret(TOKEN), transport=transport, sleep=outside.sleep, outside=outside, **more
    )


def echo(request: httpx.Request) -> httpx.Response:
    """A gateway that answers with all that it got, in each form."""
    got = {"headers": dict(request.headers), "body": request.content.decode()}
    message = f"{request.headers['Authorization']} {request.content.decode()}"
    body = {"code": 40001, "message": message, "details": got}
    return httpx.Response(400, json=body)


def echo_in_html(request: httpx.Request) -> httpx.Response:
    return httpx.Response(400, text=f"<p>{request.headers['Authorization']} {KEY}</p>")


def echo_as_well(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=f"{request.headers['Authorization']} {KEY}")


CALLS: list[Callable[[Client], object]] = [
    lambda made: made.authorize(key=KEY, log_type="people_search"),
    lambda made: made.admin.create_key(1, KeyCreate(key=KEY)),
    lambda made: made.settle("rsv_1"),
]


@pytest.mark.parametrize("call", CALLS, ids=["authorize", "create_key", "settle"])
@pytest.mark.parametrize(
    "answer",
    [
        echo,
        echo_in_html,
        echo_as_well,
        httpx.ConnectError("refused"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"),
    ],
    ids=["echo", "html", "well", "network", "header"],
)
def test_no_error_and_no_log_line_shows_one(
    call: Callable[[Client], object], answer: Played | Play, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_client(Network(answer)) as made, pytest.raises(FareboxClientError) as failed:
        call(made)
    assert CANARY not in everything(failed.value)
    assert CANARY not in caplog.text


@pytest.mark.parametrize("answer", [echo, httpx.ReadTimeout("slow")], ids=["echo", "network"])
def test_recording_shows_none(answer: Played | Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failed: list[FailedRow] = []
    made = open_client(Network(answer), batching=NEVER, on_failure=failed.append)
    made.record(key=KEY, request_headers={"x-api-key": KEY}, request_body=KEY, response_body=KEY)
    with pytest.raises(FareboxClientError) as unsent:
        made.close()
    (failure,) = failed
    assert failure.row.key == KEY  # the caller may need it
    assert CANARY not in repr(failed) + str(failure)
    assert CANARY not in everything(unsent.value)
    assert CANARY not in caplog.text


def test_a_log_without_an_on_failure_shows_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rejected = [{"index": 0, "code": 42204, "message": f"{KEY} is none."}]
    answer = ok(accepted=0, duplicates=0, conflicts=[], rejected=rejected)
    with open_client(Network(answer), batching=NEVER) as made:
        made.record(key=KEY)
    assert "was not recorded" in caplog.text
    assert CANARY not in caplog.text


def test_no_repr_shows_one() -> None:
    network = Network(recorded)
    made = open_client(network)
    call = authorize_call(HandOutside(), key=KEY, log_type="a")
    caller = Caller(RetryPolicy(), HandOutside(), Secret(TOKEN))
    flow = create_key(caller, 1, KeyCreate(key=KEY), None)
    step = next(flow)
    loose = async_client(network)
    shown: list[object] = [made, made.admin, vars(made), call, caller, step, loose, vars(loose)]
    assert CANARY not in f"{shown} {made} {call} {caller} {step}"
    assert repr(made) == "Client('http://farebox.test')"
    assert repr(loose) == "AsyncClient('http://farebox.test')"
    made.close()
    asyncio.run(loose.close())


@pytest.mark.parametrize("token", ["", "canary token", "canary\n", "canary-ä"], ids=repr)
def test_a_token_that_no_header_can_carry_is_refused_unseen(token: str) -> None:
    with pytest.raises(ValueError, match="token must be") as wrong:
        Client(URL, token)
    assert CANARY not in everything(wrong.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "farebox.test",
        "ftp://canary.test",
        "http://",
        "http://user:canary@farebox.test",
        "http://farebox.test/?token=canary",
        "http://farebox.test/#canary",
        "http://canary:port",
    ],
)
def test_a_url_that_may_hold_one_is_refused_unseen(url: str) -> None:
    with pytest.raises(ValueError, match="url must") as wrong:
        Client(url, TOKEN)
    assert CANARY not in everything(wrong.value)


def test_a_secret_is_sent_whole_where_it_belongs_and_nowhere_else() -> None:
    network = Network(recorded)
    with open_client(network) as made:
        made.record(key=Secret(KEY))
    (request,) = network.sent
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert msgspec.json.decode(request.content)["requests"][0]["key"] == KEY
    assert CANARY not in str(request.url)
