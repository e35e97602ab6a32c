"""The keys' pages: what they show is what the API tells, and each may do what its role allows."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.dashboard.people import by_a_link, by_link, catch_up
from tests.support.shop import Shop
from tests.support.visitor import Page, Visitor

KEYS = "/dashboard/keys"
NEW = f"{KEYS}/new"


def works(shop: Shop, key: str) -> bool:
    """Whether the server takes a key."""
    return shop.api.request("GET", "/user", key=key).status_code == httpx.codes.OK


def changes(shop: Shop, key_id: str) -> list[tuple[str, str]]:
    """What was done to a key, and by whom."""
    sql = "select action, actor from changes where kind = 'key' and ref = ? order by change_id"
    return [(action, actor) for action, actor in shop.harness.select(sql, key_id)]


def secret_of(page: Page) -> str:
    """The key that a page shows."""
    (secret,) = [word for word in page.text.split() if word.startswith("fbx_")]
    return secret


def listed(page: Page) -> list[str]:
    """The ids of the keys of a list, in its order."""
    paths = [link for link in page.links if link.startswith(f"{KEYS}/key_")]
    return [path.rpartition("/")[2] for path in paths]


def test_the_list_is_that_of_the_api_and_the_newest_comes_first(
    shop: Shop, customer: Visitor
) -> None:
    shop.harness.advance(milliseconds=1)
    capped, _ = shop.make_key(name="Batch", credits_cap=100, ip_ranges=["192.0.2.0/24"])
    shop.harness.advance(milliseconds=1)
    revoked, _ = shop.make_key(name="Old")
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=revoked)
    shop.use(2, key_id=capped)
    catch_up(shop)
    page = customer.get(KEYS)
    assert listed(page) == [capped, shop.key_id]
    assert "6 of 100 credits" in page.text
    assert "192.0.2.0/24" in page.text
    everything = customer.get(f"{KEYS}?status=all")
    told = shop.api.data("/api_keys", shop.key)
    assert listed(everything) == [key["key_id"] for key in told]
    assert all(key["masked_authentication"] in everything.text for key in told)
    assert listed(customer.get(f"{KEYS}?status=revoked")) == [revoked]
    assert "No key has this status" in customer.get(f"{KEYS}?status=expired").text


def test_a_long_list_has_pages(shop: Shop) -> None:
    for _ in range(60):
        shop.harness.advance(milliseconds=1)
        shop.make_key()
    manager = by_link(shop)
    pages = [listed(manager.get(f"{KEYS}?page={page}")) for page in (1, 2, 3)]
    assert [len(ids) for ids in pages] == [50, 11, 0]
    assert len({key_id for ids in pages for key_id in ids}) == 61
    for wrong in ("-1", "0", "x", "", "111111x", "1" * 30):
        assert listed(manager.get(f"{KEYS}?page={wrong}")) == pages[0]


def test_a_key_is_made_with_what_was_typed_and_shown_once(shop: Shop) -> None:
    manager = by_link(shop)
    offered = manager.get(NEW)
    page = manager.send(
        offered,
        NEW,
        name="Production",
        channel="portal",
        expires_at="2026-12-31T18:00",
        log_type_slugs=["people_search"],
        ip_ranges="192.0.2.1\r\n\r\n2001:db8::/32",
        credits_cap="12.5",
    )
    assert page.status == httpx.codes.OK
    assert page.response.headers["cache-control"] == "no-store"
    secret = secret_of(page)
    catch_up(shop)
    assert works(shop, secret)
    key = shop.api.context.directory.key_of_digest(
        next(k.digest for k in shop.api.context.directory.keys_of(shop.profile_id) if k.name)
    )
    assert key is not None
    (told,) = [key for key in shop.api.data("/api_keys", shop.key) if key["name"] == "Production"]
    assert told["expires_at"] == "2026-12-31 18:00:00.000"
    assert key.channel == "portal"
    assert key.credits_cap_micro == 12_500_000
    assert key.log_type_ids == frozenset({shop.search})
    assert [str(one) for one in key.ip_ranges or ()] == ["192.0.2.1/32", "2001:db8::/32"]
    assert changes(shop, key.key_id) == [("create", by_a_link(shop))]
    for path in (KEYS, f"{KEYS}/{key.key_id}"):
        assert secret not in manager.get(path).response.text
    assert secret not in json.dumps(manager.cookies)


def test_the_answer_that_is_loaded_again_makes_no_other_key_and_shows_no_secret(
    shop: Shop,
) -> None:
    manager = by_link(shop)
    form = manager.get(NEW).form(NEW)
    first, again = (manager.post(NEW, form.values) for _ in range(2))
    assert secret_of(first)
    assert "fbx_" not in again.text
    assert "was made already" in again.text
    assert len(shop.api.context.directory.keys_of(shop.profile_id)) == 2


def test_a_form_that_is_changed_after_it_was_sent_is_not_taken_for_the_first(shop: Shop) -> None:
    manager = by_link(shop)
    form = manager.get(NEW).form(NEW)
    assert secret_of(manager.post(NEW, form.values))
    page = manager.post(NEW, {**form.values, "name": ["Another"]})
    assert "This form was sent before." in page.text
    assert len(shop.api.context.directory.keys_of(shop.profile_id)) == 2
    # It comes with an id of its own, so it can be sent once more.
    assert secret_of(manager.send(page, NEW))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("credits_cap", "a lot", "a number of credits"),
        ("credits_cap", "-1", "a number of credits"),
        ("credits_cap", "NaN", "a number of credits"),
        ("expires_at", "tomorrow", "a date and time"),
        ("expires_at", "2020-01-01T00:00", "a time in the future"),
        ("ip_ranges", "192.0.2.0/24\nhome", "IPv4 or IPv6 addresses or CIDR ranges"),
        ("ip_ranges", "x" * 100, "IPv4 or IPv6 addresses"),
        ("name", "x" * 101, "0 to 100 printable characters"),
        ("log_type_slugs", "unknown", "There is none like this."),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_what_was_typed_is_kept(
    shop: Shop, field: str, value: str, told: str
) -> None:
    manager = by_link(shop)
    typed = {"name": "Kept", "ip_ranges": "192.0.2.7", field: value}
    page = manager.send(manager.get(NEW), NEW, **typed)
    assert page.status in {400, 422}
    assert told in page.text
    assert f'id="{field}-wrong"' in page.response.text
    kept = page.form(NEW).values
    assert all(kept[name] == [text] for name, text in typed.items() if name != "log_type_slugs")
    assert len(shop.api.context.directory.keys_of(shop.profile_id)) == 1


def test_a_user_of_another_workspace_gets_no_key(shop: Shop) -> None:
    manager = by_link(shop)
    catch_up(shop)
    (stranger,) = shop.api.context.directory.users_of(shop.other_profile_id)
    page = manager.send(manager.get(NEW), NEW, user_id=stranger.user_id)
    assert page.status == httpx.codes.NOT_FOUND


def test_a_change_sends_only_what_differs(shop: Shop) -> None:
    key_id, _ = shop.make_key(
        name="Batch", expires_at="2026-12-31T18:00:07.250Z", log_type_slugs=["people_search"]
    )
    manager, path = by_link(shop), f"{KEYS}/{key_id}"
    page = manager.send(manager.get(path), path, credits_cap="5")
    assert page.status == httpx.codes.OK
    assert "The key was changed." in page.text
    (detail,) = shop.harness.select(
        "select detail from changes where kind = 'key' and ref = ? and action = 'change'", key_id
    )[0]
    assert set(json.loads(detail)) <= {"profile_id", "key_id", "credits_cap"}
    key = shop.api.context.directory.keys[key_id]
    assert key.expires_at_ms is not None
    assert key.expires_at_ms % 1000 == 250
    cleared = manager.send(
        manager.get(path), path, credits_cap="", expires_at="", log_type_slugs=None, name="Other"
    )
    assert "The key was changed." in cleared.text
    key = shop.api.context.directory.keys[key_id]
    assert (key.name, key.credits_cap_micro, key.expires_at_ms, key.log_type_ids) == (
        "Other",
        None,
        None,
        None,
    )


def test_a_rotation_lets_the_old_key_work_on_as_long_as_was_chosen(shop: Shop) -> None:
    manager, path = by_link(shop), f"{KEYS}/{shop.key_id}/rotate"
    page = manager.send(manager.get(path), path, overlap_seconds="3600")
    secret = secret_of(page)
    old = shop.api.context.directory.keys[shop.key_id].masked_authentication
    assert f"Rotated from {old}" in manager.get(KEYS).text
    assert works(shop, shop.key)
    assert works(shop, secret)
    shop.harness.advance(hours=1)
    catch_up(shop)
    assert not works(shop, shop.key)
    assert works(shop, secret)
    ended = manager.send(manager.get(path), path)
    assert ended.status == httpx.codes.CONFLICT
    assert "has expired or was revoked" in ended.text


def test_a_revocation_is_asked_for_and_then_done(shop: Shop) -> None:
    manager, path = by_link(shop), f"{KEYS}/{shop.key_id}/revoke"
    asked = manager.send(manager.get(f"{KEYS}/{shop.key_id}"), path)
    assert "can't be undone" in asked.text
    assert works(shop, shop.key)
    done = manager.send(asked, path)
    assert "The key was revoked." in done.text
    assert not works(shop, shop.key)
    assert changes(shop, shop.key_id)[-1] == ("revoke", by_a_link(shop))
    # Its page stays, and offers nothing more.
    assert all("/sign-out" in form.action for form in done.forms if form.method == "post")


def test_who_signed_in_with_a_key_may_revoke_that_one_and_is_signed_out(
    shop: Shop, customer: Visitor
) -> None:
    other, _ = shop.make_key(name="Other")
    catch_up(shop)
    page = customer.get(f"{KEYS}/{other}")
    assert page.status == httpx.codes.OK
    assert [form for form in page.forms if "keys" in form.action] == []
    csrf = page.forms[0].values["csrf"]
    for path in (f"{KEYS}/{other}/revoke", f"{KEYS}/{other}", f"{KEYS}/{other}/rotate", NEW):
        refused = customer.post(path, {"csrf": csrf, "confirmed": ["yes"]})
        assert refused.status == httpx.codes.FORBIDDEN
    own = f"{KEYS}/{shop.key_id}/revoke"
    asked = customer.send(customer.get(f"{KEYS}/{shop.key_id}"), own)
    assert "you will be signed out" in asked.text
    gone = customer.send(asked, own)
    assert gone.path == "/dashboard/sign-in"
    assert "was revoked" in gone.text
    assert not works(shop, shop.key)
    assert customer.get(KEYS).path == "/dashboard/sign-in"
    assert changes(shop, shop.key_id)[-1] == ("revoke", f"key:{shop.key_id}")


def test_who_may_only_look_can_not_write(shop: Shop) -> None:
    viewer = by_link(shop, "view")
    page = viewer.get(KEYS)
    assert NEW not in page.links
    key = f"{KEYS}/{shop.key_id}"
    csrf = viewer.get(key).forms[0].values["csrf"]
    for path in (NEW, key, f"{key}/rotate", f"{key}/revoke"):
        refused = viewer.post(path, {"csrf": csrf, "confirmed": ["yes"]})
        assert refused.status == httpx.codes.FORBIDDEN
    for path in (NEW, f"{key}/rotate", f"{key}/revoke"):
        assert viewer.get(path).status == httpx.codes.FORBIDDEN
    assert works(shop, shop.key)


def test_a_form_that_is_not_of_our_page_is_refused(shop: Shop) -> None:
    manager, key = by_link(shop), f"{KEYS}/{shop.key_id}"
    for path in (NEW, key, f"{key}/rotate", f"{key}/revoke"):
        for values in ({}, {"csrf": "0" * 32}):
            refused = manager.post(path, {**values, "confirmed": "yes"})
            assert refused.status == httpx.codes.FORBIDDEN
    assert works(shop, shop.key)


def test_a_key_of_another_workspace_is_none(shop: Shop) -> None:
    manager = by_link(shop)
    (stranger,) = shop.api.context.directory.keys_of(shop.other_profile_id)
    csrf = manager.get(KEYS).forms[0].values["csrf"]
    for path in ("", "/rotate", "/revoke"):
        address = f"{KEYS}/{stranger.key_id}{path}"
        assert manager.get(address).status == httpx.codes.NOT_FOUND
        sent = manager.post(address, {"csrf": csrf, "confirmed": ["yes"]})
        assert sent.status == httpx.codes.NOT_FOUND
    assert works(shop, shop.other_key)
