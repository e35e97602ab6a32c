"""Faults of ours: a store that is gone is 503, never a wrong 401; a 500 tells nothing."""

from __future__ import annotations

import logging

import pytest

from farebox.api.errors import REFERENCE_HEADER
from farebox.core.errors import INVALID_KEY
from farebox.engine import follower
from farebox.store.contract import QueryTimeoutError
from tests.support.shop import CUSTOMER_CALLS, Shop


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory of the directory is ever young enough."""
    monkeypatch.setattr(follower, "FRESH_SECONDS_MAX", -1.0)


@pytest.mark.parametrize(("method", "path", "body"), CUSTOMER_CALLS)
@pytest.mark.usefixtures("stale")
def test_a_store_that_is_gone_is_503_with_retry_after(
    shop: Shop, method: str, path: str, body: dict[str, object] | None
) -> None:
    assert shop.api.post("/user", shop.key).status_code == 200  # the key is in memory now
    shop.api.store.is_gone = True
    for key in (shop.key, "fbx_unknown-to-everyone"):
        response = shop.api.request(method, path, key=key, body=body)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
    shop.api.store.is_gone = False
    assert shop.api.request(method, path, key=shop.key, body=body).status_code == 200


def test_an_unknown_key_is_never_told_401_while_the_store_is_gone(shop: Shop) -> None:
    unknown = "unknown-to-everyone"
    assert shop.api.post("/user", unknown).json()["code"] == INVALID_KEY.code
    shop.api.store.is_gone = True
    assert shop.api.post("/user", unknown).status_code == 503


def test_a_query_that_takes_too_long_is_503(shop: Shop) -> None:
    shop.api.store.fault = QueryTimeoutError("too long")
    assert shop.api.post("/profile", shop.key).status_code == 503


def test_500_tells_nothing_of_the_inside_and_the_log_has_it_under_the_same_reference(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.api.store.fault = RuntimeError("inside information")
    with caplog.at_level(logging.ERROR, "farebox.api"):
        response = shop.api.post("/profile", shop.key)
    assert (response.status_code, set(response.json())) == (500, {"error"})
    assert "inside" not in response.text + str(response.headers)
    (logged,) = [record for record in caplog.records if record.name == "farebox.api"]
    assert vars(logged)["error_ref"] == response.headers[REFERENCE_HEADER]
    assert "inside information" in vars(logged)["internal"]
    assert shop.key not in caplog.text


def test_quotas_tell_a_fault_in_the_shape_of_their_vendor(shop: Shop) -> None:
    shop.api.store.fault = RuntimeError("inside information")
    response = shop.api.request("GET", "/v1/quotas", key=shop.key)
    assert response.json()["error_ref"] == "ERR-50001"
    assert response.json()["error_scope"] == "server"
    assert "inside" not in response.text


def test_metrics_count_answers_and_store_failures(shop: Shop) -> None:
    shop.api.post("/profile", shop.key)
    shop.api.store.fault = QueryTimeoutError("too long")
    shop.api.post("/profile", shop.key)
    shop.api.request("BREW", "/profile", key=shop.key)
    told = shop.api.request("GET", "/metrics").text
    for status, method in (("200", "POST"), ("503", "POST"), ("405", "other")):
        line = (
            f'farebox_http_requests_total{{method="{method}",route="/profile",status="{status}"}}'
        )
        assert f"{line} 1.0" in told
    assert "farebox_store_failures_total 1.0" in told
