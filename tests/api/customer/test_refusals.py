"""The report of refused calls: a workspace's own, by its days and by reason, in its words."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language, refusal_message
from farebox.core.admission import KIND_OF_DENIAL
from tests.support.refused import note, refusal
from tests.support.shop import Shop

PATH = "/api_keys/refusals"
RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-31"}
ZONE = ZoneInfo("America/New_York")
EMPTY = {"series": [], "by_reason": [], "totals": {"refusals": 0}}


@pytest.mark.parametrize(
    "change", [datetime(2025, 11, 2, tzinfo=ZONE), datetime(2026, 3, 8, tzinfo=ZONE)]
)
def test_every_day_and_reason_is_counted_in_the_zone_of_the_workspace(
    shop: Shop, change: datetime
) -> None:
    profile_id = shop.harness.workspace(timezone=ZONE.key)
    keys = [shop.make_key(profile_id) for _ in range(2)]
    dice = Random(7)
    start = change.astimezone(UTC) - timedelta(days=1)
    told: list[tuple[datetime, str, str]] = []
    refusals = []
    for _ in range(300):
        at = start + timedelta(minutes=dice.randrange(4 * 24 * 60))
        key_id, reason = dice.choice(keys)[0], dice.choice(("hour", "credits", "ip"))
        is_shadow = dice.random() < 0.2
        time_ms = int(at.timestamp()) * 1000
        refusals.append(
            refusal(profile_id, key_id, time_ms=time_ms, denied_by=reason, is_shadow=is_shadow)
        )
        if not is_shadow:
            told.append((at, key_id, reason))
    note(shop.harness, *refusals)
    first = (change - timedelta(days=1)).date()
    dates = {"start_date": f"{first}", "end_date": f"{first + timedelta(days=2)}"}
    for chosen in ({}, {"keys": [keys[1][0]]}):
        wanted = [
            (f"{at.astimezone(ZONE):%Y-%m-%d}", reason)
            for at, key_id, reason in told
            if key_id in chosen.get("keys", [key_id])
        ]
        wanted = [one for one in wanted if dates["start_date"] <= one[0] <= dates["end_date"]]
        data = shop.api.data(PATH, keys[0][1], {**dates, **chosen})
        days, reasons = Counter(day for day, _ in wanted), Counter(reason for _, reason in wanted)
        assert data["series"] == [{"date": day, "refusals": days[day]} for day in sorted(days)]
        by_count = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
        assert [(one["denied_by"], one["refusals"]) for one in data["by_reason"]] == [
            (reason, reasons[reason]) for reason in by_count
        ]
        assert data["totals"] == {"refusals": len(wanted)}
        assert len(data["series"]) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_is_told_in_the_words_of_its_error_in_every_language(
    shop: Shop, language: Language
) -> None:
    plan = shop.harness.call("plans.create", slug="poor", name="Poor", credits_per_month=0)
    profile_id = shop.harness.workspace(plan=plan.slug)
    _, key = shop.make_key(profile_id)
    headers = {"accept-language": LANGUAGE_TAGS[language]}
    said = shop.api.request(
        "POST",
        "/v1/authorize",
        token=shop.api.admin_token,
        body={"key": key, "log_type": "people_search"},
        headers=headers,
    ).json()
    assert (said["denied_by"], said["status"]) == ("credits", 402)
    shop.api.run(shop.api.context.refusal_log.flush())
    (reason,) = shop.api.post(PATH, key, RANGE, headers=headers).json()["data"]["by_reason"]
    assert (reason["code"], reason["message"]) == (said["code"], said["message"])


@pytest.mark.parametrize("denied_by", KIND_OF_DENIAL)
def test_every_reason_has_its_message(shop: Shop, denied_by: str) -> None:
    note(shop.harness, refusal(shop.profile_id, shop.key_id, denied_by=denied_by))
    (reason,) = shop.api.data(PATH, shop.key, RANGE)["by_reason"]
    assert reason["code"] == KIND_OF_DENIAL[denied_by].code
    assert reason["message"] == refusal_message("en", denied_by)
    assert reason["message"]
    assert "{" not in reason["message"]


def test_a_reason_that_is_none_any_more_is_counted_still(shop: Shop) -> None:
    note(shop.harness, refusal(shop.profile_id, shop.key_id, denied_by="era", code=42999))
    (reason,) = shop.api.data(PATH, shop.key, RANGE)["by_reason"]
    assert reason == {"denied_by": "era", "code": None, "message": "", "refusals": 1}


def test_what_a_plan_in_shadow_mode_let_through_is_not_told(shop: Shop) -> None:
    note(shop.harness, refusal(shop.profile_id, shop.key_id, is_shadow=True))
    assert shop.api.data(PATH, shop.key, RANGE) == EMPTY


def test_the_refusals_of_another_workspace_are_never_seen(shop: Shop) -> None:
    note(shop.harness, refusal(shop.profile_id, shop.key_id), refusal(0, "", denied_by="key"))
    for body in (RANGE, {**RANGE, "keys": [shop.key_id]}):
        assert shop.api.data(PATH, shop.other_key, body) == EMPTY
    foreign = shop.api.post(PATH, shop.other_key, {**RANGE, "profile_id": shop.profile_id})
    assert (foreign.status_code, foreign.json()["code"]) == (400, 40008)


def test_what_is_asked_wrongly_is_told_by_name(shop: Shop) -> None:
    for body, code, word in (
        ({}, 40003, "start_date"),
        ({**RANGE, "start_date": "x"}, 40005, "start_date"),
        ({**RANGE, "end_date": "2026-04-30"}, 40006, "start_date"),
        ({**RANGE, "start_date": "2025-01-01"}, 40007, "400"),
        # Nothing is counted by log type: so a filter of them must not be taken for one.
        ({**RANGE, "log_type_slugs": ["people_search"]}, 42202, "log_type_slugs"),
    ):
        answer = shop.api.post(PATH, shop.key, body)
        assert (answer.status_code, answer.json()["code"]) == (code // 100, code)
        assert word in answer.json()["message"]
