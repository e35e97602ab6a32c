"""Tokens: told once, revoked for good, and one for administration from the first start."""

from __future__ import annotations

import base64

import pytest

from farebox.core.errors import NOT_FOUND, UNPROCESSABLE, UNUSABLE_SETTING, FareboxError
from farebox.core.key import digest
from farebox.service.pages import turn
from farebox.service.tokens import list_tokens
from tests.support.harness import Harness
from tests.support.refusal import refused


def ensure(harness: Harness, configured: str | None) -> str | None:
    sent = None if configured is None else base64.b64encode(digest(configured)).decode()
    token: str | None = harness.call("tokens.ensure_admin", digest=sent).token
    return token


def scope_of(harness: Harness, secret: str) -> str | None:
    token = harness.directory.token_of_digest(digest(secret))
    return None if token is None else token.scope


def test_a_token_is_told_once_and_works_until_it_is_revoked(harness: Harness) -> None:
    made = harness.call("tokens.create", name="Gateway", scope="meter", idempotency_key="k")
    assert made.token.startswith("fbt_")
    assert made.token not in repr(made)
    assert scope_of(harness, made.token) == "meter"
    again = harness.call("tokens.create", name="Gateway", scope="meter", idempotency_key="k")
    assert (again.token, again.token_id) == (None, made.token_id)
    harness.call("tokens.revoke", token_id=made.token_id)
    harness.call("tokens.revoke", token_id=made.token_id)
    assert scope_of(harness, made.token) is None
    (listed,) = list_tokens(harness.reader, turn(None, None)).data
    assert listed.revoked_at is not None


def test_the_first_start_makes_a_token_and_later_ones_do_not(harness: Harness) -> None:
    secret = ensure(harness, None)
    assert secret is not None
    assert scope_of(harness, secret) == "admin"
    assert ensure(harness, None) is None
    assert scope_of(harness, secret) == "admin"


def test_a_meter_token_is_none_for_administration(harness: Harness) -> None:
    harness.call("tokens.create", name="Gateway", scope="meter")
    assert ensure(harness, None) is not None


def test_the_configured_token_works_and_the_one_before_no_longer(harness: Harness) -> None:
    assert ensure(harness, "configured-one") is None
    assert ensure(harness, "configured-one") is None
    assert scope_of(harness, "configured-one") == "admin"
    ensure(harness, "configured-two")
    assert scope_of(harness, "configured-one") is None
    assert scope_of(harness, "configured-two") == "admin"
    assert harness.select("select count(*) from tokens") == [(2,)]


def test_a_start_leaves_other_tokens_alone(harness: Harness) -> None:
    made = harness.call("tokens.create", name="Mine", scope="admin")
    ensure(harness, "configured-one")
    assert scope_of(harness, made.token) == "admin"


def test_a_token_that_is_configured_again_works_again(harness: Harness) -> None:
    for configured, other in (("one", "two"), ("two", "one"), ("one", "two"), ("two", "one")):
        ensure(harness, f"configured-{configured}")
        assert scope_of(harness, f"configured-{configured}") == "admin"
        assert scope_of(harness, f"configured-{other}") is None
    assert harness.select("select count(*) from tokens") == [(2,)]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_start_does_not_revive_what_a_person_revoked(
    harness: Harness, *, is_replaced: bool
) -> None:
    ensure(harness, "configured-one")
    ((token_id,),) = harness.select("select token_id from tokens")
    if is_replaced:
        ensure(harness, "configured-two")
    harness.call("tokens.revoke", token_id=token_id)
    harness.call("tokens.revoke", token_id=token_id)
    with refused(UNUSABLE_SETTING, harness):
        ensure(harness, "configured-one")
    with pytest.raises(FareboxError, match=r"'FAREBOX_ADMIN_TOKEN' .* was revoked"):
        ensure(harness, "configured-one")
    assert scope_of(harness, "configured-one") is None
    assert scope_of(harness, "configured-two") == ("admin" if is_replaced else None)


def test_a_token_without_the_scope_can_not_be_the_configured_one(harness: Harness) -> None:
    ensure(harness, "configured-one")
    made = harness.call("tokens.create", name="Gateway", scope="meter")
    with refused(UNUSABLE_SETTING, harness):
        ensure(harness, made.token)
    with pytest.raises(FareboxError, match=r"'FAREBOX_ADMIN_TOKEN' .* without the scope admin"):
        ensure(harness, made.token)
    assert scope_of(harness, made.token) == "meter"
    assert scope_of(harness, "configured-one") == "admin"


@pytest.mark.parametrize("name", ["", "x" * 101, "FAREBOX_ADMIN_TOKEN", "first start"])
def test_a_name_that_can_not_be_is_refused(harness: Harness, name: str) -> None:
    with refused(UNPROCESSABLE, harness, field="name"):
        harness.call("tokens.create", name=name, scope="admin")


def test_an_unknown_token_can_not_be_revoked(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        harness.call("tokens.revoke", token_id="tok_none")


def test_pages_hold_every_token_once(harness: Harness) -> None:
    made = {harness.call("tokens.create", name=f"t{n}", scope="meter").token_id for n in range(5)}
    first = list_tokens(harness.reader, turn(None, 3))
    second = list_tokens(harness.reader, turn(first.next_cursor, 3))
    assert {t.token_id for t in first.data + second.data} == made
    assert len(first.data + second.data) == 5
