"""docs/client.md: its programs run, and its numbers and names are those of the client."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from farebox import client as package
from farebox.client import Batching, Client, FareboxClientError, RetryPolicy
from farebox.client.retry import GATE_RETRY
from tests.support.server import RunningServer

TEXT = (Path(__file__).parent.parent.parent / "docs/client.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_programs_run(shop: RunningServer) -> None:
    begin, _, report, sign_up = PROGRAMS
    shop.make("/plans", {"slug": "starter", "name": "Starter", "credits_per_month": 1})
    names: dict[str, object] = {"token": shop.token}
    for program in (begin, sign_up):
        exec(program.replace("http://127.0.0.1:8080", shop.url), names)  # noqa: S102 - our own
    names["key_id"] = getattr(names["made"], "key_id")  # noqa: B009 - of what was run
    exec(report, names)  # noqa: S102 - our own
    made = names["client"]
    assert isinstance(made, Client)
    made.close()


def test_the_program_of_the_gate_charges_and_refuses(shop: RunningServer) -> None:
    body = PROGRAMS[1].replace("\n", "\n    ")
    price = {"slug": "docs", "name": "Docs", "credits": 1, "method": "POST"}
    shop.make("/log_types", {**price, "path": "/people/search"})
    shop.make("/plans", {"slug": "one", "name": "One", "credits_per_month": 1})
    profile_id = shop.make("/workspaces", {"name": "Acme", "plan": "one"})["profile_id"]
    refused: list[int] = []
    with Client(shop.url, shop.token) as made:
        names: dict[str, object] = {
            "client": made,
            "key": made.admin.create_key(profile_id).key,
            "refuse": lambda status, *_: refused.append(status),
            "serve": lambda: SimpleNamespace(status=200, duration_ms=3),
        }
        exec(f"def call():\n    {body}\ncall()\ncall()", names)  # noqa: S102 - our own
    assert refused == [402]


def test_the_numbers_are_those_of_the_client() -> None:
    words = " ".join(TEXT.split())
    policy, batching = RetryPolicy(), Batching()
    for told in (
        f"double from {policy.base_seconds:g} s up to {policy.wait_seconds_max:g} s",
        f"at most {policy.attempts_max} times and {policy.total_seconds_max:g} s",
        f"{GATE_RETRY.attempts_max} times and {GATE_RETRY.total_seconds_max:g} s",
        f"up to {batching.rows_max:,} requests at a time or after a second",
    ):
        assert told in words
    assert batching.age_seconds_max == 1


def test_every_error_is_told() -> None:
    errors = {
        name
        for name in package.__all__
        if isinstance(found := getattr(package, name), type)
        and issubclass(found, FareboxClientError)
    }
    assert len(errors) == 5
    assert [name for name in errors if name not in TEXT] == []
