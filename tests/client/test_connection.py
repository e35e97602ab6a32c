"""Where a client calls, and who it says it is."""

from __future__ import annotations

import re
import subprocess
import sys

import httpx
import pytest

from farebox import __version__
from farebox.client import Client, FailedRow
from tests.client.hands import TOKEN, Network, opened, recorded
from tests.support.server import RunningServer

FORGETFUL = """
import sys
import farebox
client = farebox.Client(sys.argv[1], sys.argv[2])
for number in range(3):
    client.record(key_id=sys.argv[3], id=str(number))
"""


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_each_call_says_who_makes_it(colour: str) -> None:
    network = Network(recorded)
    with opened(colour, network) as made:
        made.record_all([])
    (request,) = network.sent
    assert re.fullmatch(
        rf"farebox-python/{re.escape(__version__)} httpx/[0-9.]+", request.headers["User-Agent"]
    )
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"


def test_a_server_may_lie_below_a_path() -> None:
    network = Network(recorded)
    transport = httpx.MockTransport(network.answer)
    with Client("https://api.test/farebox/", TOKEN, transport=transport) as made:
        made.record_all([])
    assert str(network.sent[0].url) == "https://api.test/farebox/v1/requests"


def test_a_program_that_forgets_to_close_sends_what_waits(shop: RunningServer) -> None:
    profile_id = shop.make("/workspaces", {"name": "Acme", "plan": "gold"})["profile_id"]
    made = shop.make(f"/workspaces/{profile_id}/keys", {})
    subprocess.run(
        [sys.executable, "-c", FORGETFUL, shop.url, shop.token, made["key_id"]],
        check=True,
        timeout=60,
    )
    answer = shop.client.post(
        f"{shop.url}/api_keys/logs", headers={"x-api-key": made["key"]}, json={}
    ).json()
    assert answer["data"]["pagination"]["total_entries"] == 3


def test_what_a_real_server_refuses_is_told_row_by_row(shop: RunningServer) -> None:
    profile_id = shop.make("/workspaces", {"name": "Acme", "plan": "gold"})["profile_id"]
    key_id = shop.make(f"/workspaces/{profile_id}/keys", {})["key_id"]
    failed: list[FailedRow] = []
    with Client(shop.url, shop.token, on_failure=failed.append) as made:
        made.record(key_id=key_id, id="once", path="/a")
        made.flush()
        made.record(key_id=key_id, id="once", path="/b")
        made.record(key_id="key_of_nobody", id="lost")
        made.record(key_id=key_id, id="good")
    assert {(f.reason, f.row.id, f.code) for f in failed} == {
        ("conflict", "once", None),
        ("rejected", "lost", 42204),
    }
