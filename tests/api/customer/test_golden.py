"""The seeds' examples come back from requests that were recorded one by one.

The examples of the two usage reports are abridged: the requests that they leave out are made up
here such that the documented totals hold, and the answers are abridged the same way. One cell of
them, 95.82, is rounded in the seed where all others are cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from farebox.core.request import MeteredRequest
from tests.contract.shape import load
from tests.support.api import Api, exact
from tests.support.harness import Harness
from tests.support.shop import CREDIT

ZONE = "Asia/Hong_Kong"
NAMES = {
    "people_redeem": "Redeem People",
    "people_search": "People Search",
    "company_search": "Company Search",
}


class Stage:
    """A server in the time of an example."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.harness = api.harness
        self.log_types: dict[str, int] = {
            slug: self.harness.call("log_types.create", slug=slug, name=name, credits=1).log_type_id
            for slug, name in NAMES.items()
        }

    def rows(
        self, profile_id: int, key_id: str, slug: str, count: int, credits: int, at: str
    ) -> Iterator[MeteredRequest]:
        """So many requests that cost so much together, the first of them at `at`."""
        at_ms = local_ms(at)
        each, rest = divmod(credits, count)
        for index in range(count):
            yield self.harness.row(
                profile_id,
                key_id,
                log_type_id=self.log_types[slug],
                credits_micro=(each + (index < rest)) * CREDIT,
                time_ms=at_ms - index * 7,
            )


def local_ms(stamp: str) -> int:
    at = datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo(ZONE))
    return round(at.timestamp() * 1000)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Harness(tmp_path, now_ms=local_ms("2026-05-20 12:00")) as harness, Api(harness) as api:
        yield Stage(api)


def example_of(name: str) -> Any:  # noqa: ANN401 - any JSON
    return load(name)["example"]


def test_usage_daily(stage: Stage) -> None:
    profile_id = stage.harness.workspace(timezone=ZONE)
    key = stage.harness.call("keys.create", profile_id=profile_id)
    for day, slug, credits, count in (
        ("2026-05-01", "people_redeem", 26140, 2614),
        ("2026-05-01", "company_search", 212, 213),
        ("2026-05-05", "people_search", 594, 199),
        ("2026-05-05", "company_search", 204, 203),
        ("2026-05-11", "people_redeem", 185, 15),
        ("2026-05-11", "company_search", 2, 172),
        # Left out by the example:
        ("2026-05-12", "people_redeem", 14510, 1454),
        ("2026-05-12", "people_search", 39, 13),
        ("2026-05-13", "company_search", 6, 13),
    ):
        at = f"{day} 23:59:59.999"
        stage.harness.record(list(stage.rows(profile_id, key.key_id, slug, count, credits, at)))
    example = example_of("usage_daily")
    answer = exact(stage.api.post("/api_keys/usage/daily", key.key, example["metadata"]["filters"]))
    shown = {point["date"] for point in example["data"]["series"]}
    data = answer["data"]
    del data["by_log_type"][2:]
    for series in (data, *data["by_log_type"]):
        series["series"] = [point for point in series["series"] if point["date"] in shown]
    data["by_log_type"][1]["series"] = data["by_log_type"][1]["series"][:1]
    assert answer == example


def test_usage_breakdown(stage: Stage) -> None:
    profile_id = stage.harness.workspace(timezone=ZONE)
    keys = [
        stage.harness.call("keys.create", profile_id=profile_id, key=secret)
        for secret in ("2-is-the-first-a37", "0-is-the-second-f39", "7-is-left-out-8df")
    ]
    for key, slug, credits, count, at in (
        (0, "people_redeem", 41215, 500, "2026-05-05 11:09:42.508"),
        (0, "people_search", 1101, 368, "2026-05-04 09:00:00"),
        (0, "company_search", 450, 61, "2026-05-03 09:00:00"),
        (1, "company_search", 187, 175, "2026-05-14 12:04:21.651"),
        # Left out by the example:
        (2, "company_search", 60, 500, "2026-04-01 00:00:05"),
        (2, "people_redeem", 0, 3588, "2026-05-14 23:59:59.999"),
    ):
        rows = stage.rows(profile_id, keys[key].key_id, slug, count, credits, at)
        stage.harness.record(list(rows))
    example = example_of("usage_breakdown")
    answer = exact(
        stage.api.post("/api_keys/usage/breakdown", keys[0].key, example["metadata"]["filters"])
    )
    data = answer["data"]
    del data["by_key"][2:], data["by_endpoint"][2:]
    assert [one.pop("key_id") for one in data["by_key"]] == [key.key_id for key in keys[:2]]
    endpoint = data["by_endpoint"][0]
    assert endpoint["percent_of_credits"] == Decimal("95.81")
    endpoint["percent_of_credits"] = Decimal("95.82")
    assert answer == with_exact_numbers(example)


def test_profile_usage(tmp_path: Path) -> None:
    now_ms = round(datetime.fromisoformat("2024-11-13T10:01:13.051Z").timestamp() * 1000)
    with Harness(tmp_path, now_ms=now_ms) as harness, Api(harness) as api:
        harness.call(
            "plans.create",
            slug="portal",
            name="Portal",
            credits_per_month=0,
            limits={
                "api": {"hour": 0, "day": 0, "month": 0},
                "portal": {"hour": 1000, "day": 2000, "month": 60000},
            },
            is_api_access_available=False,
            is_quota_sharing_available=True,
        )
        profile_id = harness.workspace(plan="portal", licences=34, is_quota_sharing_enabled=True)
        key = harness.call("keys.create", profile_id=profile_id, channel="portal")
        hour_ms, day_ms = now_ms - now_ms % 3_600_000, now_ms - now_ms % 86_400_000
        times = [now_ms - index for index in range(4)]
        times += [hour_ms - 1 - index for index in range(159)]
        times += [day_ms - 1 - index * 60_000 for index in range(685)]
        harness.record(
            [harness.row(profile_id, key.key_id, time_ms=at, channel="portal") for at in times]
        )
        assert exact(api.post("/profile/usage", key.key)) == example_of("profile_usage")


def test_quotas(tmp_path: Path) -> None:
    now_ms = round(datetime.fromisoformat("2024-01-20T12:00:00Z").timestamp() * 1000)
    with Harness(tmp_path, now_ms=now_ms) as harness, Api(harness) as api:
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=2000)
        profile_id = harness.workspace(plan="gold", name="Acme Corporation")
        key = harness.call("keys.create", profile_id=profile_id)
        rows = [harness.row(profile_id, key.key_id, credits_micro=499 * 500_000) for _ in range(3)]
        harness.record([*rows, harness.row(profile_id, key.key_id, credits_micro=CREDIT)])
        answer = exact(api.request("GET", "/v1/quotas", key=key.key))
        example = with_exact_numbers(example_of("quotas"))
        example["uid"] = harness.directory.workspaces[profile_id].uid
        assert answer == example
        assert list(answer) == list(example)


def with_exact_numbers(example: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with decimals for what isn't whole."""
    if isinstance(example, dict):
        return {name: with_exact_numbers(value) for name, value in example.items()}
    if isinstance(example, list):
        return [with_exact_numbers(value) for value in example]
    return Decimal(str(example)) if isinstance(example, float) else example
