"""What a request may look like: methods, media types, sizes, bodies, `profile_id`."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.api.body import BODY_BYTES_MAX
from tests.support.shop import CUSTOMER_CALLS, Shop

BOTH_METHODS = ("/profile", "/profile/usage", "/user", "/api_keys")
RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-14"}


@pytest.mark.parametrize("path", BOTH_METHODS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_an_empty_body_is_as_good_as_none(
    shop: Shop, method: str, path: str, content: bytes | None
) -> None:
    response = shop.api.request(
        method,
        path,
        key=shop.key,
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 200


@pytest.mark.parametrize("path", [*BOTH_METHODS, "/v1/quotas"])
def test_head_tells_the_headers_of_get(shop: Shop, path: str) -> None:
    shop.use()  # the list of keys tells when one was used last
    get = shop.api.request("GET", path, key=shop.key)
    head = shop.api.request("HEAD", path, key=shop.key)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/profile", "GET, HEAD, POST"),
        ("/v1/quotas", "GET, HEAD"),
        ("/api_keys/usage/daily", "POST"),
        ("/api_keys/logs/lookup", "POST"),
    ],
)
def test_another_method_is_told_which_are_allowed(shop: Shop, path: str, allowed: str) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - {
        *allowed.split(", ")
    }:
        response = shop.api.request(method, path, key=shop.key)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


def test_405_and_404_are_in_the_contract_s_shapes(shop: Shop) -> None:
    quotas = shop.api.request("POST", "/v1/quotas").json()
    assert quotas["error_ref"] == "ERR-40501"
    assert quotas["status_code"] == 405
    general = shop.api.request("PUT", "/profile").json()
    assert general["code"] == 40501
    for path in ("/nothing", "/api_keys/usage", "/profile/"):
        missing = shop.api.request("GET", path, language="ko")
        assert (missing.status_code, missing.json()["code"]) == (404, 40402)


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, 40003, "start_date"),
        ({"start_date": "2026-05-01"}, 40003, "end_date"),
        ({**RANGE, "start_date": 5}, 40004, "start_date"),
        ({**RANGE, "start_date": "2026-5-1"}, 40005, "start_date"),
        ({**RANGE, "end_date": "2026-02-30"}, 40005, "end_date"),
        ({**RANGE, "start_date": ""}, 40005, "start_date"),
        ({**RANGE, "start_date": "2026-05-15"}, 40006, "start_date"),
        ({**RANGE, "end_date": "2027-06-05"}, 40007, "400"),
        ({**RANGE, "keys": "all"}, 40004, "keys"),
        ({**RANGE, "keys": [1]}, 40004, "keys[0]"),
        ({**RANGE, "keys": ["k"] * 1001}, 40004, "1000"),
        ({**RANGE, "log_type_slugs": {"a": 1}}, 40004, "log_type_slugs"),
        ({**RANGE, "profile_id": "1"}, 40004, "profile_id"),
        ([], 40001, "object"),
        ("text", 40001, "object"),
    ],
)
@pytest.mark.parametrize("path", ["/api_keys/usage/daily", "/api_keys/usage/breakdown"])
def test_a_wrong_body_is_told_the_field_and_what_is_right(
    shop: Shop, path: str, body: object, code: int, named: str
) -> None:
    response = shop.api.post(path, shop.key, body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert named in response.json()["message"]


@pytest.mark.parametrize(
    "content", [b"{", b"nonsense", b"{}x", b"\xff\xfe", b'{"search_term": "\xff"}', b"[" * 5000]
)
def test_a_body_that_is_no_json_is_refused(shop: Shop, content: bytes) -> None:
    response = shop.api.post("/api_keys/logs", shop.key, content=content)
    assert (response.status_code, response.json()["code"]) in {(400, 40002), (400, 40001)}


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_a_body_of_another_media_type_is_refused(shop: Shop, media_type: str) -> None:
    response = shop.api.post(
        "/profile", shop.key, content=b"{}", headers={"Content-Type": media_type}
    )
    assert (response.status_code, response.json()["code"]) == (415, 41501)
    assert "application/json" in response.json()["message"]


def test_a_charset_beside_the_media_type_is_fine(shop: Shop) -> None:
    response = shop.api.post(
        "/profile",
        shop.key,
        content=b"{}",
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert response.status_code == 200


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(shop: Shop) -> None:
    content = b" " * (BODY_BYTES_MAX + 1)
    told = shop.api.post("/profile", shop.key, content=content)
    assert (told.status_code, told.json()["code"]) == (413, 41301)
    assert str(BODY_BYTES_MAX) in told.text
    untold = shop.api.post("/profile", shop.key, content=content, headers={"Content-Length": "0"})
    assert untold.status_code == 413


def test_unknown_fields_are_ignored_and_not_echoed(shop: Shop) -> None:
    response = shop.api.post("/api_keys/usage/daily", shop.key, {**RANGE, "colour": "red"})
    assert response.status_code == 200
    assert response.json()["metadata"] == {"filters": RANGE}


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"keys": [], "log_type_slugs": None, "fill_gaps": False}, {"fill_gaps": False}),
        ({"keys": ["k"], "fill_gaps": True}, {"keys": ["k"], "fill_gaps": True}),
        ({"log_type_slugs": ["__unknown__"]}, {"log_type_slugs": ["__unknown__"]}),
    ],
)
def test_filters_echo_what_was_sent_and_is_not_empty(
    shop: Shop, sent: dict[str, Any], echoed: dict[str, Any]
) -> None:
    response = shop.api.post("/api_keys/usage/daily", shop.key, {**RANGE, **sent})
    assert response.json()["metadata"] == {"filters": {**RANGE, **echoed}}


def test_the_log_echoes_zero_and_false_but_no_default(shop: Shop) -> None:
    sent = {"log_types": [0], "is_ascending_order": False, "search_term": "", "per_page": 3}
    response = shop.api.post("/api_keys/logs", shop.key, sent)
    del sent["search_term"]
    assert response.json()["metadata"] == {"filters": sent}


@pytest.mark.parametrize(("method", "path", "body"), CUSTOMER_CALLS)
def test_profile_id_must_be_the_key_s_own_workspace(
    shop: Shop, method: str, path: str, body: dict[str, Any] | None
) -> None:
    def call(profile_id: int) -> tuple[int, bytes]:
        if body is None:
            response = shop.api.request(method, f"{path}?profile_id={profile_id}", key=shop.key)
        else:
            response = shop.api.post(path, shop.key, {**body, "profile_id": profile_id})
        return response.status_code, response.content

    assert call(shop.profile_id)[0] == 200
    assert call(shop.other_profile_id)[0] == 400
    # Nobody learns from it whether another workspace exists.
    assert call(shop.other_profile_id) == call(987_654) == call(-1) == call(0)


def test_a_profile_id_in_the_query_string_must_be_an_integer(shop: Shop) -> None:
    response = shop.api.request("GET", "/profile?profile_id=one", key=shop.key)
    assert (response.status_code, response.json()["code"]) == (400, 40004)


@pytest.mark.parametrize("host", ["[", "a b", "farebox.test:port", "\\"])
def test_a_strange_host_header_is_no_fault_of_ours(shop: Shop, host: str) -> None:
    for path in ("/user?profile_id=1", "/nothing"):
        response = shop.api.request("GET", path, key=shop.key, headers={"Host": host})
        assert response.status_code in {200, 404}
