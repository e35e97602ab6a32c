"""Captures hold no key and no token, wherever one stands, and no more than they may."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX, mint
from farebox.service.capture import CapturePolicy
from farebox.service.record import bare_path
from tests.support.harness import Harness
from tests.support.homes import Home

RANDOM = random.Random(7)
KEY = mint(KEY_PREFIX, RANDOM.randrange).reveal()
TOKEN = mint(TOKEN_PREFIX, RANDOM.randrange).reveal()
IMPORTED = "an-imported-key-of-no-form"
ON = CapturePolicy(True, 4096, ("x-customer",))


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Cookie", "apikey", "X-ApiKey", "api_key", "x-auth", "X-Customer", "My-Key"],
)
def test_a_header_that_carries_secrets_is_struck_out_by_its_name(
    harness: Harness, name: str
) -> None:
    captured = ON.capture(harness.row(1, "key_1"), {name: IMPORTED, "Accept": "*/*"}, None, None)
    assert captured is not None
    assert json.loads(captured.request_headers) == {name: "***", "Accept": "*/*"}


@pytest.mark.parametrize("secret", [KEY, TOKEN, IMPORTED])
def test_a_secret_is_struck_out_wherever_else_it_stands(harness: Harness, secret: str) -> None:
    captured = ON.capture(
        harness.row(1, "key_1"),
        {"Referer": f"https://example.com/?k={secret}"},
        f'{{"k": "{secret}"}}',
        f"you sent {secret}, {secret}",
        IMPORTED,
    )
    assert captured is not None
    kept = captured.request_headers + captured.request_body + captured.response_body
    assert secret not in kept
    assert kept.count("***") == 4


def test_a_key_in_a_path_is_struck_out() -> None:
    assert bare_path(f"/people/{KEY}/x?k={KEY}#{KEY}") == "/people/***/x"
    assert bare_path("/people_search/fbx_short") == "/people_search/fbx_short"


def test_what_no_text_of_postgresql_holds_is_replaced(harness: Harness) -> None:
    assert bare_path("/a\0b?\0") == "/a\ufffdb"
    captured = ON.capture(harness.row(1, "key_1"), {"a": "\0"}, "b\0", "\0c")
    assert captured is not None
    assert captured[2:] == ('{"a":"\\u0000"}', "b\ufffd", "\ufffdc")


def test_what_is_too_large_is_cut_and_headers_stay_json(harness: Harness) -> None:
    policy = CapturePolicy(True, 40, ())
    headers = {f"h{number}": "v" * 8 for number in range(9)}
    captured = policy.capture(harness.row(1, "key_1"), headers, "é" * 40, "x" * 40)
    assert captured is not None
    assert json.loads(captured.request_headers) == {"h0": "v" * 8, "h1": "v" * 8}
    assert captured.request_body == "é" * 20
    assert captured.response_body == "x" * 40


def test_nothing_is_captured_unless_it_is_asked_for(harness: Harness) -> None:
    off = CapturePolicy(False, 4096, ())
    assert off.capture(harness.row(1, "key_1"), {"a": "b"}, "c", "d") is None
    assert ON.capture(harness.row(1, "key_1"), None, None, None) is None
