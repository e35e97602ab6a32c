"""The log over HTTP: pages, stamps, filters; and the detail of one request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farebox.core.request import Capture
from farebox.service import logs
from tests.support.api import Api, exact
from tests.support.harness import Harness
from tests.support.shop import Shop


def page(quiet_shop: Shop, **body: object) -> Any:  # noqa: ANN401 - any JSON
    return quiet_shop.api.data("/api_keys/logs", quiet_shop.key, body)


def ids(data: Any) -> list[str]:  # noqa: ANN401 - any JSON
    return [log["query_log_id"] for log in data["query_logs"]]


def test_a_log_entry_has_the_vendor_s_fields(quiet_shop: Shop) -> None:
    quiet_shop.harness.call(
        "workspaces.change", profile_id=quiet_shop.profile_id, timezone="Asia/Kathmandu"
    )
    (row,) = quiet_shop.use(duration_ms=184, ip="203.0.113.7")
    user = quiet_shop.api.data("/user", quiet_shop.key)
    (log,) = page(quiet_shop)["query_logs"]
    assert log == {
        "query_log_id": str(uuid.UUID(bytes=row.query_log_id)),
        "created_at": "2026-05-05 17:45:00.000",
        "profile_id": quiet_shop.profile_id,
        "user_id": user["user_id"],
        "method": "POST",
        "path": "/people/search",
        "status_code": 200,
        "duration_ms": 184,
        "log_type_id": quiet_shop.search,
        "authentication_type": "x-api-key",
        "masked_authentication": quiet_shop.key[0] + "•" * 16 + quiet_shop.key[-3:],
        "response_size": 2048,
        "ip": "203.0.113.7",
        "email": user["email"],
        "nickname": user["nickname"],
        "user": user,
        "log_type_slug": "people_search",
        "credits": 3,
        "log_type_name": "people_search",
        "authentication_type_name": "API Key",
    }


def test_pages_follow_one_another(quiet_shop: Shop) -> None:
    quiet_shop.use(7)
    pages = [page(quiet_shop, page=n, per_page=3) for n in (1, 2, 3, 4)]
    assert [len(ids(one)) for one in pages] == [3, 3, 1, 0]
    assert len({log_id for one in pages for log_id in ids(one)}) == 7
    assert pages[0]["pagination"] == {
        "page": 1,
        "per_page": 3,
        "total_entries": 7,
        "total_pages": 3,
        "total_display_pages": 3,
        "is_timeout": False,
    }


def test_25_a_page_and_the_newest_first_by_default(quiet_shop: Shop) -> None:
    quiet_shop.harness.record(
        [quiet_shop.row(time_ms=quiet_shop.harness.now_ms - second * 1000) for second in range(30)]
    )
    data = page(quiet_shop)
    assert data["pagination"]["per_page"] == len(data["query_logs"]) == 25
    stamps = [log["created_at"] for log in data["query_logs"]]
    assert stamps == sorted(stamps, reverse=True)
    assert page(quiet_shop, is_ascending_order=True)["query_logs"][0]["created_at"] < stamps[-1]


def test_no_more_than_250_pages_are_shown(quiet_shop: Shop) -> None:
    quiet_shop.use(253)
    assert len(ids(page(quiet_shop, page=250, per_page=1))) == 1
    beyond = page(quiet_shop, page=251, per_page=1)
    assert ids(beyond) == []
    assert beyond["pagination"]["total_pages"] == 253
    assert beyond["pagination"]["total_display_pages"] == 250


def test_filters_select(quiet_shop: Shop) -> None:
    (search,) = quiet_shop.use(method="GET", path="/people/find", status_code=404, ip="192.0.2.99")
    (redeem,) = quiet_shop.use(log_type_id=quiet_shop.redeem)
    (unmapped,) = quiet_shop.use(log_type_id=0, time_ms=quiet_shop.harness.now_ms - 86_400_000)
    other_id, _ = quiet_shop.make_key()
    (other,) = quiet_shop.use(key_id=other_id)
    other_mask = quiet_shop.harness.directory.keys[other_id].masked_authentication

    def found(**body: object) -> set[bytes]:
        return {uuid.UUID(log_id).bytes for log_id in ids(page(quiet_shop, **body))}

    every = {row.query_log_id for row in (search, redeem, unmapped, other)}
    assert found() == found(keys=[], log_types=[], methods=None, search_term="") == every
    assert found(log_types=[quiet_shop.redeem]) == {redeem.query_log_id}
    assert found(log_types=[0]) == found(log_type_slugs=["__unknown__"]) == {unmapped.query_log_id}
    assert found(log_types=[quiet_shop.redeem], log_type_slugs=["people_search"]) == set()
    assert found(log_type_slugs=["nothing"]) == found(log_types=[10**30]) == set()
    assert found(status_codes=[404]) == found(methods=["get"]) == {search.query_log_id}
    assert found(search_term="FIND") == found(search_term="2.99") == {search.query_log_id}
    assert found(keys=[other_id]) == found(keys=[other_mask]) == {other.query_log_id}
    assert found(search_term=other_mask[-3:]) == {other.query_log_id}
    assert found(end_date="2026-05-04") == {unmapped.query_log_id}
    assert found(start_date="2026-05-05") == every - {unmapped.query_log_id}
    assert found(start_date="2026-05-05", end_date="2026-05-05", log_types=[0]) == set()


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"page": 0}, 40004, "page"),
        ({"per_page": 101}, 40004, "100"),
        ({"per_page": 0}, 40004, "per_page"),
        ({"order_by": "mood"}, 40004, "duration_ms"),
        ({"is_ascending_order": "yes"}, 40004, "true or false"),
        ({"status_codes": ["200"]}, 40004, "status_codes[0]"),
        ({"search_term": "x" * 201}, 40004, "200"),
        ({"start_date": "x"}, 40005, "start_date"),
        ({"start_date": "2026-05-02", "end_date": "2026-05-01"}, 40006, "start_date"),
        ({"start_date": "2024-05-02", "end_date": "2026-05-01"}, 40007, "400"),
    ],
)
def test_a_wrong_question_is_told_what_is_right(
    quiet_shop: Shop, body: dict[str, object], code: int, named: str
) -> None:
    response = quiet_shop.api.post("/api_keys/logs", quiet_shop.key, body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert named in response.json()["message"]


@pytest.mark.parametrize("page_number", [10**9, 2**63, 10**40])
def test_a_page_far_beyond_is_empty(quiet_shop: Shop, page_number: int) -> None:
    quiet_shop.use()
    assert ids(page(quiet_shop, page=page_number)) == []


@pytest.fixture
def hasty_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose queries have almost no time, and whose log has many parts."""
    monkeypatch.setattr(logs, "ROWS_PER_PART", 1)
    settings = {"FAREBOX_LOG_QUERY_MS": "10"}
    with Harness(tmp_path) as harness, Api(harness, settings) as api:
        yield Shop(api)


def test_past_its_budget_a_query_says_so_and_gives_what_it_found(hasty_shop: Shop) -> None:
    rows = [hasty_shop.row() for _ in range(3000)]
    hasty_shop.harness.record(rows)
    answer = exact(hasty_shop.api.post("/api_keys/logs", hasty_shop.key, {"per_page": 1}))
    pagination = answer["data"]["pagination"]
    assert pagination["is_timeout"] is True
    assert 0 < pagination["total_entries"] < 3000
    assert pagination["total_pages"] == pagination["total_entries"]
    newest = max(row.query_log_id for row in rows)
    assert ids(answer["data"]) == [str(uuid.UUID(bytes=newest))]


def test_the_detail_of_a_request_holds_what_was_captured(quiet_shop: Shop) -> None:
    kept, bare = quiet_shop.row(), quiet_shop.row(response_size=None)
    headers = '{"x-api-key":"***","accept":"*/*"}'
    capture = Capture(quiet_shop.profile_id, kept.query_log_id, headers, '{"a":1}', "[]")
    quiet_shop.harness.record([kept, bare], [capture])
    log_id = str(uuid.UUID(bytes=kept.query_log_id))
    answer = quiet_shop.api.post(
        "/api_keys/logs/lookup", quiet_shop.key, {"query_log_id": log_id}
    ).json()
    assert answer == {
        "metadata": {"query_log_id": log_id},
        "data": {
            "query_log_id": log_id,
            "request_body": '{"a":1}',
            "request_headers": headers,
            "response_body": "[]",
            "response_size": 2048,
        },
    }
    bare_id = str(uuid.UUID(bytes=bare.query_log_id))
    empty = quiet_shop.api.data(
        "/api_keys/logs/lookup", quiet_shop.key, {"query_log_id": bare_id.upper()}
    )
    assert (empty["request_headers"], empty["request_body"], empty["response_body"]) == ("",) * 3
    assert empty["response_size"] is None


def test_a_request_of_another_workspace_is_as_good_as_none(quiet_shop: Shop) -> None:
    (row,) = quiet_shop.use()
    log_id = str(uuid.UUID(bytes=row.query_log_id))

    def look_up(log_id: str) -> tuple[int, bytes]:
        body = {"query_log_id": log_id}
        response = quiet_shop.api.post("/api_keys/logs/lookup", quiet_shop.other_key, body)
        return response.status_code, response.content

    assert look_up(log_id) == look_up(str(uuid.UUID(int=0)))
    assert look_up(log_id)[0] == 404


@pytest.mark.parametrize(
    "body", [{}, {"query_log_id": "x"}, {"query_log_id": ""}, {"query_log_id": 1}]
)
def test_a_look_up_needs_a_uuid(quiet_shop: Shop, body: dict[str, object]) -> None:
    response = quiet_shop.api.post("/api_keys/logs/lookup", quiet_shop.key, body)
    assert response.status_code == 400
    assert "'query_log_id'" in response.json()["message"]
