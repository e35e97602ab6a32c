"""The sender: where it connects to, whom it believes, and how little it trusts the answer."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from farebox.engine.clock import wall_ms
from farebox.webhooks import sender as module
from farebox.webhooks.sender import Attempt, Letter, Resolve, Sender
from tests.support.receiver import Receiver, status

TLS = Path(__file__).parent.parent / "data" / "tls"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLMSwMfKQ9r8GKYo="
NAME = "hook.example.test"


class Names:
    """A resolver that answers what it is told to, and counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError(host)
        return answer


def post(
    url: str,
    resolve: Resolve = module.resolve,
    *,
    is_private_allowed: bool = True,
    context: ssl.SSLContext | None = None,
) -> Attempt:
    """One attempt to send something."""

    async def run() -> Attempt:
        sender = Sender(
            "1", is_private_allowed=is_private_allowed, resolve=resolve, context=context
        )
        try:
            return await sender.send(Letter("msg_1", url, "{}", SECRET), wall_ms())
        finally:
            await sender.close()

    return asyncio.run(run())


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "hook.pem", TLS / "hook.key")
    return context


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "224.0.0.1", "fe80::1"],
)
def test_a_name_that_leads_inside_is_refused_unasked(address: str) -> None:
    with Receiver() as receiver:
        names = Names([address])
        url = f"https://{NAME}:{receiver.port}/"
        attempt = post(url, names, is_private_allowed=False)
        assert attempt.error == "the host is none of the public Internet"
        assert attempt.status is None
        assert receiver.received == []
    assert names.asked == [(NAME, receiver.port)]


def test_one_private_address_among_public_ones_is_refused() -> None:
    attempt = post(f"https://{NAME}/", Names(["8.8.8.8", "10.0.0.1"]), is_private_allowed=False)
    assert attempt.error == "the host is none of the public Internet"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:7f00:1]", "2130706433", "127.1"])
def test_an_address_in_the_url_is_refused_like_a_name(host: str) -> None:
    attempt = post(f"https://{host}/", is_private_allowed=False)
    assert attempt.error == "the host is none of the public Internet"


def test_the_name_is_asked_for_once_and_the_connection_goes_where_it_led() -> None:
    with Receiver() as receiver:
        # Another answer a moment later would lead nowhere.
        names = Names(["127.0.0.1"], ["192.0.2.1"])
        attempt = post(f"http://{NAME}:{receiver.port}/a?b=c", names)
        assert (attempt.status, attempt.error) == (204, "")
        (got,) = receiver.received
    assert got.path == "/a?b=c"
    assert got.headers["host"] == f"{NAME}:{receiver.port}"
    assert names.asked == [(NAME, receiver.port)]


def test_a_certificate_must_name_the_host_and_not_the_address() -> None:
    trusting = ssl.create_default_context(cafile=TLS / "hook.pem")
    with Receiver(context=server_context()) as receiver:
        names = Names(["127.0.0.1"])
        assert post(f"https://{NAME}:{receiver.port}/", names, context=trusting).status == 204
        other = post(f"https://other.example.test:{receiver.port}/", names, context=trusting)
        assert other.error == "the connection failed: ConnectError"
        unknown = post(f"https://{NAME}:{receiver.port}/", names)
        assert unknown.error == "the connection failed: ConnectError"
        assert len(receiver.received) == 1


def test_plain_http_is_refused_unless_private_addresses_are_allowed() -> None:
    names = Names(["8.8.8.8"])
    attempt = post(f"http://{NAME}/", names, is_private_allowed=False)
    assert attempt.error == "only https is allowed"
    assert names.asked == []


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(number: int) -> None:
    with Receiver() as target, Receiver(status(number, Location=target.url)) as receiver:
        attempt = post(receiver.url)
        assert (attempt.status, attempt.error) == (number, f"the answer was {number}")
        assert target.received == []


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        assert post(receiver.url).status == 204
        assert proxy.received == []


def test_the_next_address_is_tried_where_nothing_listens() -> None:
    with Receiver() as receiver:
        names = Names(["127.0.0.2", "127.0.0.1"])
        assert post(f"http://{NAME}:{receiver.port}/", names).status == 204


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_BYTES_MAX", 1_000)
    has_ended = threading.Event()

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 100_000)
        except OSError:
            has_ended.set()

    with Receiver(endless) as receiver:
        attempt = post(receiver.url)
        assert (attempt.status, attempt.error) == (200, "")
        assert has_ended.wait(30)


def test_a_receiver_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ATTEMPT_SECONDS_MAX", 0.2)
    is_over = threading.Event()

    def silent(_: BaseHTTPRequestHandler) -> None:
        is_over.wait(30)

    with Receiver(silent) as receiver:
        attempt = post(receiver.url)
        is_over.set()
    assert (attempt.status, attempt.error) == (None, "it took too long")
    assert attempt.duration_ms >= 200


def test_a_body_that_never_ends_changes_nothing_of_what_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS_MAX", 0.1)
    is_over = threading.Event()

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(202)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        is_over.wait(30)

    with Receiver(dripping) as receiver:
        attempt = post(receiver.url)
        is_over.set()
    assert (attempt.status, attempt.error) == (202, "")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([[]], "the host could not be found"),
        ([["127.0.0.1"]], "the connection failed: ConnectError"),
    ],
)
def test_what_goes_wrong_is_told_without_the_url(answers: list[list[str]], error: str) -> None:
    # Port 1 answers nowhere.
    attempt = post(f"http://{NAME}:1/path-that-is-a-secret", Names(*answers))
    assert attempt == Attempt(None, attempt.duration_ms, error)


def test_a_letter_shows_neither_its_secret_nor_its_url() -> None:
    letter = Letter("msg_1", "https://example.com/path-that-is-a-secret", "{}", SECRET)
    assert repr(letter) == "Letter(msg_1)"
