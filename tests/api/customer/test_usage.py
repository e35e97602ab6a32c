"""The reports over HTTP: what is listed, what a filter selects, and in which zone."""

from __future__ import annotations

from decimal import Decimal

from tests.support.shop import CREDIT, Shop

RANGE = {"start_date": "2026-05-01", "end_date": "2026-05-31"}
EMPTY_DAILY = {"series": [], "by_log_type": [], "totals": {"credits": 0, "requests": 0}}


def test_nothing_found_is_empty_lists_and_zero_totals(quiet_shop: Shop) -> None:
    quiet_shop.use()
    for nothing in (
        {"start_date": "2031-01-01", "end_date": "2031-01-02"},
        {**RANGE, "keys": ["0••••••••••••••••f39"]},
        {**RANGE, "log_type_slugs": ["no_such_type"]},
        {**RANGE, "keys": [quiet_shop.key_id], "log_type_slugs": ["people_redeem"]},
    ):
        assert quiet_shop.api.data("/api_keys/usage/daily", quiet_shop.key, nothing) == EMPTY_DAILY
        breakdown = quiet_shop.api.data("/api_keys/usage/breakdown", quiet_shop.key, nothing)
        assert breakdown["by_endpoint"] == []
        assert breakdown["totals"] == {"credits": 0, "requests": 0}


def test_a_day_is_the_workspace_s_own(quiet_shop: Shop) -> None:
    profile_id = quiet_shop.harness.workspace(timezone="Asia/Kathmandu")
    key_id, key = quiet_shop.make_key(profile_id)
    midnight_ms = 1_777_918_500_000  # 2026-05-05 00:00 in Kathmandu
    quiet_shop.harness.record(
        [quiet_shop.harness.row(profile_id, key_id, time_ms=midnight_ms + ms) for ms in (-1, 0)]
    )
    series = quiet_shop.api.data("/api_keys/usage/daily", key, RANGE)["series"]
    assert [(day["date"], day["requests"]) for day in series] == [
        ("2026-05-04", 1),
        ("2026-05-05", 1),
    ]
    one_day = {"start_date": "2026-05-05", "end_date": "2026-05-05"}
    breakdown = quiet_shop.api.data("/api_keys/usage/breakdown", key, one_day)
    assert breakdown["by_key"][0]["last_used"] == "2026-05-05 00:00:00.000"
    assert breakdown["totals"]["requests"] == 1


def test_gaps_are_filled_only_when_asked_for(quiet_shop: Shop) -> None:
    quiet_shop.use()
    few = {"start_date": "2026-05-04", "end_date": "2026-05-06"}
    assert len(quiet_shop.api.data("/api_keys/usage/daily", quiet_shop.key, few)["series"]) == 1
    filled = quiet_shop.api.data(
        "/api_keys/usage/daily", quiet_shop.key, {**few, "fill_gaps": True}
    )
    assert [day["requests"] for day in filled["series"]] == [0, 1, 0]
    assert [day["credits"] for day in filled["by_log_type"][0]["series"]] == [0, 3, 0]


def test_fractions_of_credits_are_exact(quiet_shop: Shop) -> None:
    quiet_shop.use(3, credits_micro=100_000)
    quiet_shop.use(log_type_id=0, credits_micro=1)
    totals = quiet_shop.api.data("/api_keys/usage/daily", quiet_shop.key, RANGE)["totals"]
    assert totals["credits"] == Decimal("0.300001")


def test_unmapped_requests_have_their_names(quiet_shop: Shop) -> None:
    quiet_shop.use(log_type_id=0, credits_micro=0)
    unmapped = {**RANGE, "log_type_slugs": ["__unknown__"]}
    (daily,) = quiet_shop.api.data("/api_keys/usage/daily", quiet_shop.key, unmapped)["by_log_type"]
    assert (daily["slug"], daily["name"]) == ("__unknown__", "Unknown")
    (one,) = quiet_shop.api.data("/api_keys/usage/breakdown", quiet_shop.key, unmapped)[
        "by_endpoint"
    ]
    assert (one["slug"], one["name"], one["cost_per_call"]) == (None, "Unknown", 0)


def test_idle_keys_are_listed_after_the_others_unless_revoked_or_not_selected(
    quiet_shop: Shop,
) -> None:
    idle, _ = quiet_shop.make_key()
    revoked, _ = quiet_shop.make_key()
    used_and_revoked, _ = quiet_shop.make_key()
    quiet_shop.use(key_id=used_and_revoked, credits_micro=CREDIT)
    for key_id in (revoked, used_and_revoked):
        quiet_shop.harness.call("keys.revoke", profile_id=quiet_shop.profile_id, key_id=key_id)
    quiet_shop.use()

    def listed(**filters: object) -> list[str]:
        data = quiet_shop.api.data(
            "/api_keys/usage/breakdown", quiet_shop.key, {**RANGE, **filters}
        )
        return [key["key_id"] for key in data["by_key"]]

    assert listed() == [quiet_shop.key_id, used_and_revoked, idle]
    assert listed(keys=[idle, revoked]) == [idle]
    assert listed(log_type_slugs=["people_redeem"]) == sorted(
        [quiet_shop.key_id, idle],
        key=lambda key: quiet_shop.harness.directory.keys[key].masked_authentication,
    )
    data = quiet_shop.api.data(
        "/api_keys/usage/breakdown", quiet_shop.key, {**RANGE, "keys": [idle]}
    )
    assert data["by_key"] == [
        {
            "name": quiet_shop.harness.directory.keys[idle].masked_authentication,
            "requests": 0,
            "credits": 0,
            "last_used": None,
            "percent_of_requests": 0,
            "percent_of_credits": 0,
            "key_id": idle,
        }
    ]


def test_lists_end_at_100_and_totals_go_beyond(quiet_shop: Shop) -> None:
    keys = [quiet_shop.make_key()[0] for _ in range(101)]
    quiet_shop.harness.record(
        [quiet_shop.row(key_id=key, credits_micro=(n + 1) * CREDIT) for n, key in enumerate(keys)]
    )
    data = quiet_shop.api.data("/api_keys/usage/breakdown", quiet_shop.key, RANGE)
    assert [key["key_id"] for key in data["by_key"]] == keys[:0:-1]
    assert data["totals"] == {"credits": 5151, "requests": 101}
    assert data["by_key"][0]["percent_of_credits"] == Decimal("1.96")


def test_the_traffic_of_another_workspace_is_never_seen(quiet_shop: Shop) -> None:
    quiet_shop.use(5)
    for path in ("/api_keys/usage/daily", "/api_keys/usage/breakdown"):
        data = quiet_shop.api.data(
            path, quiet_shop.other_key, {**RANGE, "keys": [quiet_shop.key_id]}
        )
        assert data["totals"] == {"credits": 0, "requests": 0}
        assert quiet_shop.key_id not in str(data)
