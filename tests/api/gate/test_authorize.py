"""`POST /v1/authorize`: what is admitted, what is refused, and how both are told."""

from __future__ import annotations

import httpx
import pytest

from farebox.core.instant import MS_PER_HOUR, MS_PER_SECOND, to_iso_ms
from farebox.engine.leases import TRUST_MS
from farebox.engine.reservation import Reservation
from tests.api.gate.till import Till


def test_an_admitted_call_is_told_what_it_holds_and_every_limit(till: Till) -> None:
    told = till.authorize()
    reservation_id = told.pop("reservation_id")
    assert reservation_id.startswith("rsv_")
    now_ms = till.harness.now_ms
    hour_ms = now_ms - now_ms % MS_PER_HOUR + MS_PER_HOUR
    limits = {limit.pop("name"): limit for limit in told.pop("limits")}
    assert limits["hour"] == {"limit": 5, "remaining": 4, "reset": to_iso_ms(hour_ms)}
    assert limits["credits"] == {"limit": None, "remaining": 97, "reset": None}
    assert list(limits) == ["hour", "month", "credits"]
    assert told == {
        "allowed": True,
        "profile_id": till.profile_id,
        "key_id": till.key_id,
        "user_id": till.harness.directory.keys[till.key_id].user_id,
        "held_credits": 3,
    }


def test_the_limit_that_refuses_is_named_and_nothing_else_is_consumed(till: Till) -> None:
    for _ in range(5):
        till.admitted()
    told = till.authorize()
    rest_ms = MS_PER_HOUR - till.harness.now_ms % MS_PER_HOUR
    assert told == {
        "allowed": False,
        "status": 429,
        "code": 42902,
        "message": "The limit 'hour' is used up. Please try again later.",
        "denied_by": "hour",
        "retry_after": rest_ms // MS_PER_SECOND,
    }
    assert till.credits_left() == 100 - 5 * 3
    till.harness.clock.advance(rest_ms)
    assert till.authorize()["allowed"] is True


def test_credits_refuse_with_402_and_without_a_time_to_wait_for(till: Till) -> None:
    for _ in range(3):
        till.admitted(log_type="people_redeem", path=None, method=None)
    told = till.authorize(credits=11)
    assert (told["status"], told["denied_by"]) == (402, "credits")
    assert "retry_after" not in told
    assert till.authorize(credits=10)["held_credits"] == 10
    assert till.credits_left() == 0


def test_a_grant_admits_what_was_refused_a_moment_before(till: Till) -> None:
    assert till.authorize(credits=101)["status"] == 402
    till.harness.call("grants.create", profile_id=till.profile_id, credits=1, kind="topup")
    till.catch_up()
    assert till.authorize(credits=101)["allowed"] is True


@pytest.mark.parametrize(
    ("fields", "status", "denied_by"),
    [
        ({"key": "fbx_not_a_key_of_anyone"}, 401, "key"),
        ({"path": "/nowhere"}, 403, "unmapped"),
        ({"log_type": "__unknown__"}, 403, "unmapped"),
    ],
)
def test_what_may_not_be_called_at_all_is_refused_without_a_limit(
    till: Till, fields: dict[str, object], status: int, denied_by: str
) -> None:
    told = till.authorize(**fields)
    assert (told["allowed"], told["status"], told["denied_by"]) == (False, status, denied_by)
    assert set(told) == {"allowed", "status", "code", "message", "denied_by"}


def test_a_revoked_key_is_refused_at_once(till: Till) -> None:
    till.admitted()
    till.harness.call("keys.revoke", profile_id=till.profile_id, key_id=till.key_id)
    till.catch_up()
    assert till.authorize()["status"] == 401


def test_a_suspended_workspace_is_refused(till: Till) -> None:
    till.harness.call("workspaces.change", profile_id=till.profile_id, status="suspended")
    till.catch_up()
    told = till.authorize()
    assert (told["status"], told["denied_by"]) == (403, "workspace")


def test_the_same_id_gets_the_same_reservation_and_takes_nothing_more(till: Till) -> None:
    first, second = till.authorize(id="call-1"), till.authorize(id="call-1")
    assert first["reservation_id"] == second["reservation_id"]
    assert till.credits_left() == 97


def test_another_request_under_the_same_id_is_refused(till: Till) -> None:
    till.admitted(id="call-1")
    response = till.ask(
        "/v1/authorize", {"key": till.key, "log_type": "people_redeem", "id": "call-1"}
    )
    assert (response.status_code, response.json()["code"]) == (409, 40909)


def test_a_shadow_plan_refuses_nothing_and_counts_what_it_would(till: Till) -> None:
    till.harness.call("plans.change", slug="gold", is_shadow=True)
    till.catch_up()
    reservations = [till.admitted() for _ in range(8)]
    assert all(till.settle(one).status_code == httpx.codes.OK for one in reservations)
    till.api.run(till.api.context.refusal_log.flush())
    counted = till.harness.select("select denied_by, is_shadow, refusals from refusals")
    assert counted == [("hour", 1, 3)]
    assert till.credits_left() == 100 - 8 * 3


def test_an_unknown_field_or_log_type_is_refused_by_name(till: Till) -> None:
    response = till.ask("/v1/authorize", {"key": till.key, "pth": "/x"})
    assert (response.status_code, response.json()["code"]) == (422, 42202)
    response = till.ask("/v1/authorize", {"key": till.key, "log_type": "nothing"})
    assert (response.status_code, response.json()["code"]) == (422, 42205)


@pytest.mark.parametrize("path", ["/v1/authorize", "/v1/settle", "/v1/void"])
def test_only_the_provider_may_ask(till: Till, path: str) -> None:
    assert till.ask(path, {}, token="fbt_no_token_of_anyone").status_code == 401
    assert till.ask(path, {}, token=till.key).status_code == 401


@pytest.mark.parametrize("path", ["/v1/authorize", "/v1/settle", "/v1/void"])
def test_a_store_that_is_gone_is_503_and_never_a_free_request(till: Till, path: str) -> None:
    reservation_id = till.admitted()
    till.api.store.is_gone = True
    till.harness.clock.advance(10 * MS_PER_SECOND)
    bodies: dict[str, object] = {"/v1/authorize": {"key": till.key, "log_type": "people_search"}}
    response = till.ask(path, bodies.get(path, {"reservation_id": reservation_id}))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"


def test_a_process_that_was_stopped_after_it_decided_does_not_tell_it(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.admitted()
    seal = till.api.context.seal
    inner = seal.seal

    def stopped(reservation: Reservation) -> str:
        till.harness.clock.advance(TRUST_MS)
        return inner(reservation)

    monkeypatch.setattr(seal, "seal", stopped)
    response = till.ask("/v1/authorize", {"key": till.key, "log_type": "people_search"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
