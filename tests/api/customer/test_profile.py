"""Profile, user, quota windows and quotas over HTTP: what SPEC 3.4 to 3.6 say beyond the seeds."""

from __future__ import annotations

from decimal import Decimal

from tests.support.shop import CREDIT, Shop

HOUR_MS = 3_600_000


def test_the_profile_tells_credits_plan_and_prices(shop: Shop) -> None:
    shop.harness.call(
        "plans.create",
        slug="business",
        name="Business",
        credits_per_month=2250,
        limits={"api": {"hour": 12000, "day": None}, "portal": {"month": 60000}},
        prices={"people_redeem": 12.5},
    )
    profile_id = shop.harness.workspace(
        plan="business", name="Bolt", description="Bolts and nuts", anchor_day=3
    )
    key_id, key = shop.make_key(profile_id)
    shop.harness.call("grants.create", profile_id=profile_id, credits=100, kind="topup")
    shop.harness.record([shop.harness.row(profile_id, key_id, credits_micro=CREDIT // 2)])
    assert shop.api.data("/profile", key) == {
        "profile_id": profile_id,
        "credit": Decimal("2349.5"),
        "topup_credit": 100,
        "name": "Bolt",
        "description": "Bolts and nuts",
        "is_auto_top_up_credits_enabled": False,
        "auto_top_up_credit": None,
        "auto_top_up_balance_fall_below": None,
        "subscription": {
            "name": "Business",
            "slug": "business",
            "credit": 2250,
            "max_api_monthly_query": None,
            "max_api_daily_query": None,
            "max_api_hourly_query": 12000,
            "max_portal_monthly_query": 60000,
            "max_portal_daily_query": None,
            "max_portal_hourly_query": None,
            "is_api_access_available": True,
            "last_refill_date": "2026-05-03T00:00:00.000Z",
            "next_refill_date": "2026-06-03T00:00:00.000Z",
            "people_search_credit": 3,
            "people_redeem_credit": Decimal("12.5"),
        },
    }


def test_the_profile_tells_the_terms_of_auto_top_up(shop: Shop) -> None:
    profile_id = shop.harness.workspace(
        is_auto_top_up_credits_enabled=True,
        auto_top_up_credit="500.5",
        auto_top_up_balance_fall_below=100,
        is_auto_top_up_granted=True,
    )
    _, key = shop.make_key(profile_id)
    profile = shop.api.data("/profile", key)
    assert {name: value for name, value in profile.items() if "auto_top_up" in name} == {
        "is_auto_top_up_credits_enabled": True,
        "auto_top_up_credit": Decimal("500.5"),
        "auto_top_up_balance_fall_below": 100,
    }


def test_a_plan_without_credits_has_no_refills(shop: Shop) -> None:
    shop.harness.call("plans.create", slug="free", name="Free", credits_per_month=0)
    _, key = shop.make_key(shop.harness.workspace(plan="free"))
    subscription = shop.api.data("/profile", key)["subscription"]
    assert (subscription["last_refill_date"], subscription["next_refill_date"]) == (None, None)


def test_an_overdraft_is_never_shown_below_zero(shop: Shop) -> None:
    shop.use(credits_micro=1200 * CREDIT)
    assert shop.api.data("/profile", shop.key)["credit"] == 0
    quotas = shop.api.request("GET", "/v1/quotas", key=shop.key).json()
    assert (quotas["credits_left"], quotas["credits_used"]) == (0, 1200)
    assert quotas["credits_max"] == 1000


def test_quotas_are_right_in_the_moment_a_period_ends(shop: Shop) -> None:
    shop.use(credits_micro=250 * CREDIT)
    shop.harness.clock.advance(26 * 24 * HOUR_MS + 12 * HOUR_MS - 1)  # the month's last instant
    before = shop.api.request("GET", "/v1/quotas", key=shop.key).json()
    assert (before["credits_used"], before["credits_left"]) == (250, 750)
    assert before["current_month_end"] == "2026-05-31T23:59:59Z"
    shop.harness.clock.advance(1)  # and nobody has told the recorder
    after = shop.api.request("GET", "/v1/quotas", key=shop.key).json()
    assert (after["credits_used"], after["credits_left"], after["credits_max"]) == (0, 1000, 1000)
    assert after["current_month_start"] == "2026-06-01T00:00:00Z"
    assert after["current_month_end"] == "2026-06-30T23:59:59Z"


def test_numbers_have_no_artefacts_of_floats(shop: Shop) -> None:
    shop.use(3, credits_micro=100_001)
    text = shop.api.request("GET", "/v1/quotas", key=shop.key).text
    assert '"credits_left":999.699997,' in text
    assert '"credits_used":0.300003,' in text


def test_the_user_is_the_key_s_own(shop: Shop) -> None:
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, licences=2)
    guest = shop.harness.call(
        "users.create", profile_id=shop.profile_id, nickname="Guest", email="guest@example.com"
    )
    _, key = shop.make_key(user_id=guest.user_id)
    assert shop.api.data("/user", key) == {
        "user_id": guest.user_id,
        "nickname": "Guest",
        "email": "guest@example.com",
    }


def test_windows_count_the_user_alone_unless_the_quota_is_shared(shop: Shop) -> None:
    shop.harness.call("plans.create", slug="team", name="Team", credits_per_month=0)
    shop.harness.call("plans.change", slug="team", is_quota_sharing_available=True)
    profile_id = shop.harness.workspace(plan="team", licences=2)
    guest = shop.harness.call(
        "users.create", profile_id=profile_id, nickname="Guest", email="guest@example.com"
    )
    owner_key_id, owner_key = shop.make_key(profile_id)
    guest_key_id, guest_key = shop.make_key(profile_id, user_id=guest.user_id)
    shop.harness.record([shop.harness.row(profile_id, owner_key_id) for _ in range(3)])
    shop.harness.record([shop.harness.row(profile_id, guest_key_id, channel="portal")])

    def usage(key: str) -> tuple[int, int]:
        data = shop.api.data("/profile/usage", key)
        return data["api_monthly_usage"], data["portal_hourly_usage"]

    assert (usage(owner_key), usage(guest_key)) == ((3, 0), (0, 1))
    shop.harness.call("workspaces.change", profile_id=profile_id, is_quota_sharing_enabled=True)
    shop.api.run(shop.api.context.follower.catch_up())
    assert usage(owner_key) == usage(guest_key) == (3, 1)
    shop.harness.call("plans.change", slug="team", is_quota_sharing_available=False)
    shop.api.run(shop.api.context.follower.catch_up())
    assert (usage(owner_key), usage(guest_key)) == ((3, 0), (0, 1))


def test_windows_are_those_of_now(shop: Shop) -> None:
    now_ms = shop.harness.now_ms  # 12:00 in UTC, the workspace's zone
    for age_ms in (0, 1, 13 * HOUR_MS, 6 * 24 * HOUR_MS):
        shop.use(time_ms=now_ms - age_ms)
    data = shop.api.data("/profile/usage", shop.key)
    windows = ("api_hourly_usage", "api_daily_usage", "api_monthly_usage")
    assert [data[name] for name in windows] == [1, 2, 3]
    assert data["api_last_refreshed"] == "2026-05-05T12:00:00.000Z"
