"""The recipes name what there is: addresses, headers to ask with, and headers that are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from farebox.contract import forward_auth, rate_headers
from farebox.settings import read_settings

FOLDER = Path(__file__).parents[2] / "docs" / "gateways"
TO_THE_API = {
    forward_auth.PROFILE_ID,
    forward_auth.KEY_ID,
    forward_auth.USER_ID,
    forward_auth.QUERY_LOG_ID,
}
LIMITS = {rate_headers.RATE_LIMIT, rate_headers.RATE_LIMIT_POLICY, rate_headers.CREDITS_LEFT}
LEGACY = {rate_headers.LEGACY_LIMIT, rate_headers.LEGACY_REMAINING, rate_headers.LEGACY_RESET}
KEY_HEADERS = set(read_settings({}).key_headers)


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def lower(names: set[str]) -> set[str]:
    return {name.lower() for name in names}


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_recipe_passes_every_header_on(name: str) -> None:
    recipe = text(name)
    for header in TO_THE_API | LIMITS:
        assert f"{header} " in recipe


def test_nginx_asks_at_its_address_and_tells_all_that_is_read() -> None:
    recipe = text("nginx.conf")
    assert f"{forward_auth.FORWARD_AUTH_NGINX.path};" in recipe
    for asked_with in forward_auth.FORWARD_AUTH_NGINX.headers:
        assert f"proxy_set_header {asked_with.name} $" in recipe
    for header in (forward_auth.TRUE_STATUS, forward_auth.TRUE_BODY):
        assert f"$upstream_http_{header.lower().replace('-', '_')};" in recipe
    for header in LEGACY:
        assert f"add_header {header} $" in recipe


def test_caddy_asks_at_its_address_without_the_callers_query() -> None:
    recipe = text("Caddyfile")
    assert f"rewrite {forward_auth.FORWARD_AUTH.path}?\n" in recipe
    assert f"header_up {forward_auth.FORWARDED_METHOD} {{method}}" in recipe
    assert f"header_up {forward_auth.FORWARDED_URI} {{uri}}" in recipe


def test_traefik_asks_at_its_address_and_believes_no_caller() -> None:
    recipe = yaml.safe_load(text("traefik.yaml"))["http"]["middlewares"]["farebox"]["forwardAuth"]
    assert recipe["address"].endswith(f":8080{forward_auth.FORWARD_AUTH.path}")
    assert recipe["trustForwardHeader"] is False
    assert set(recipe["authResponseHeaders"]) == TO_THE_API | LIMITS
    asked_with = {"authorization", "accept-language"} | KEY_HEADERS
    assert lower(set(recipe["authRequestHeaders"])) == asked_with


def test_envoy_asks_at_its_address_and_lets_nothing_pass_undecided() -> None:
    listener = yaml.safe_load(text("envoy.yaml"))["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    ask: dict[str, Any] = manager["http_filters"][0]["typed_config"]
    assert ask["failure_mode_allow"] is False
    assert ask["http_service"]["path_prefix"] == forward_auth.FORWARD_AUTH.path
    assert matched(ask["allowed_headers"]) == (
        KEY_HEADERS | {"accept-language", forward_auth.FORWARDED_FOR.lower()}
    )
    answer = ask["http_service"]["authorization_response"]
    assert matched(answer["allowed_upstream_headers"]) == lower(TO_THE_API)
    told = matched(answer["allowed_client_headers_on_success"])
    assert told == {"ratelimit*", "x-ratelimit*", rate_headers.CREDITS_LEFT.lower()}
    assert told | {"retry-after"} <= matched(answer["allowed_client_headers"])


def matched(matcher: dict[str, list[dict[str, Any]]]) -> set[str]:
    """The headers that a matcher of Envoy's names; a star stands for any rest."""
    assert all(pattern["ignore_case"] for pattern in matcher["patterns"])
    return {
        pattern["exact"] if "exact" in pattern else f"{pattern['prefix']}*"
        for pattern in matcher["patterns"]
    }


def test_every_recipe_is_told_of() -> None:
    readme = text("README.md")
    for path in FOLDER.iterdir():
        assert path.name == "README.md" or f"]({path.name})" in readme
    for operation in forward_auth.OPERATIONS:
        assert operation.path.partition("{")[0].rstrip("/") in readme
