"""Every answer and error has exactly the keys and types of its seed, in every language."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.shape import SEED_NAMES, load, problems
from tests.support.shop import CREDIT, Shop

CALLS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "profile_usage": ("POST", {}),
    "quotas": ("GET", None),
    "usage_breakdown": ("POST", {"start_date": "2026-05-01", "end_date": "2026-05-31"}),
    "usage_daily": ("POST", {"start_date": "2026-05-01", "end_date": "2026-05-31"}),
}
PATHS = {
    "profile_usage": "/profile/usage",
    "quotas": "/v1/quotas",
    "usage_breakdown": "/api_keys/usage/breakdown",
    "usage_daily": "/api_keys/usage/daily",
}
LANGUAGES = {"en": "en-GB", "cn": "zh-CN,zh;q=0.9", "ko": "ko", "jp": "ja;q=0.8, xx"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SEED_NAMES)
def test_an_answer_has_the_shape_of_its_seed(shop: Shop, name: str, language: str) -> None:
    shop.make_key()  # one without traffic
    shop.use(3, credits_micro=CREDIT // 3)
    shop.use(log_type_id=0, credits_micro=0)
    method, body = CALLS[name]
    response = shop.api.request(
        method, PATHS[name], key=shop.key, body=body, language=LANGUAGES[language]
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert problems(response.json(), load(name)["answer"]) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SEED_NAMES)
def test_an_error_has_the_shape_and_text_of_its_seed(shop: Shop, name: str, language: str) -> None:
    seed = load(name)
    method, body = CALLS[name]
    tag = LANGUAGES[language]

    def call(path: str = PATHS[name], key: str = shop.key) -> tuple[int, Any]:
        response = shop.api.request(method, path, key=key, body=body, language=tag)
        return response.status_code, response.json()

    answers = {"400": call(PATHS[name] + "?key=x"), "401": call(key="x" * 20)}
    shop.api.store.fault = RuntimeError("a table that nobody may hear of")
    answers["500"] = call()
    shop.api.store.fault = None
    for _ in range(300):
        shop.api.run(shop.api.context.own_limit.take(shop.other_profile_id, shop.harness.now_ms))
    answers["429"] = call(key=shop.other_key)
    for status, shape in seed["errors"].items():
        found, answer = answers[status]
        assert (found, problems(answer, shape)) == (int(status), [])
    for status, text in seed["texts"].get(language, {}).items():
        assert answers[status][1] == {"error": text}


def test_errors_speak_four_languages(shop: Shop) -> None:
    told = {
        shop.api.request(
            "POST", "/user", key=shop.key, body={"profile_id": 99}, language=tag
        ).json()["message"]
        for tag in LANGUAGES.values()
    }
    assert len(told) == 4
    assert "'profile_id' is not the workspace of this API key." in told


def test_an_answer_never_depends_on_the_language(shop: Shop) -> None:
    shop.use()
    answers = {
        shop.api.request("POST", "/profile", key=shop.key, language=tag).content
        for tag in LANGUAGES.values()
    }
    assert len(answers) == 1
