"""Links: signed by the program's secret, known again until they expire, and shown once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, FareboxError
from farebox.core.key import LINK_PREFIX, SECRET_PATTERN, holds_secret, strike_out
from farebox.core.link import PAGE, SECONDS_MAX, SECONDS_MIN
from farebox.engine.entropy import SystemEntropy
from farebox.engine.seal import Seal
from farebox.engine.secret import ProgramSecret
from farebox.service.forms.link import LinkMade
from farebox.service.links import LinkToken, link_seal, open_link, shown
from tests.support.harness import Harness
from tests.support.homes import Home

BASE_URL = "https://usage.example.com"


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=2000)
        yield harness


@pytest.fixture
def seal(tmp_path: Path) -> Seal[LinkToken]:
    return link_seal(ProgramSecret("", tmp_path / "farebox.db", SystemEntropy()).derive)


def made(
    harness: Harness,
    seal: Seal[LinkToken],
    profile_id: int,
    role: str = "view",
    **more: Any,  # noqa: ANN401 - as `Harness.call`
) -> LinkMade:
    begun = harness.call("links.create", profile_id=profile_id, role=role, **more)
    return shown(begun, seal, BASE_URL)


def token_of(link: LinkMade) -> str:
    assert link.url is not None
    page, _, token = link.url.partition("#")
    assert page == BASE_URL + PAGE
    return token


@pytest.mark.parametrize("role", ["view", "manage"])
@pytest.mark.parametrize("seconds", [SECONDS_MIN, SECONDS_MAX])
def test_a_link_says_all_of_itself_until_the_instant_it_expires(
    harness: Harness, seal: Seal[LinkToken], role: str, seconds: int
) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    link = made(harness, seal, profile_id, role=role, expires_in_seconds=seconds)
    token, expires_ms = token_of(link), harness.now_ms + seconds * 1000
    told = LinkToken(link.link_id, profile_id, link.role, harness.now_ms, expires_ms)
    assert (link.role, open_link(seal, token, expires_ms - 1)) == (role, told)
    with pytest.raises(FareboxError) as late:
        open_link(seal, token, expires_ms)
    assert late.value.kind is EXPIRED_LINK


def test_a_link_that_was_changed_or_signed_elsewhere_is_none(
    harness: Harness, seal: Seal[LinkToken]
) -> None:
    token = token_of(made(harness, seal, harness.workspace(name="Acme", plan="gold")))
    elsewhere = link_seal(lambda purpose: purpose.encode())
    for opened, text in ((seal, token[:-1] + "~"), (elsewhere, token), (seal, "lnk_"), (seal, "")):
        with pytest.raises(FareboxError) as wrong:
            open_link(opened, text, harness.now_ms)
        assert wrong.value.kind is INVALID_LINK


def test_a_link_is_shown_once_and_stands_nowhere_in_the_database(
    harness: Harness, seal: Seal[LinkToken]
) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    first, again = (made(harness, seal, profile_id, idempotency_key="once") for _ in range(2))
    assert (again.link_id, again.expires_at, again.url) == (first.link_id, first.expires_at, None)
    token = token_of(first)
    assert token not in repr(first)
    signature = token[-16:].encode()
    assert not any(signature in content for content in harness.home.contents())


def test_who_made_a_link_and_for_what_is_kept(harness: Harness, seal: Seal[LinkToken]) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    link = made(harness, seal, profile_id, role="manage")
    (row,) = harness.select(
        "select action, ref, profile_id, at_ms, detail from changes where kind = 'link'"
    )
    *kept, detail = row
    assert kept == ["create", link.link_id, profile_id, harness.now_ms]
    assert json.loads(detail) == {"role": "manage", "expires_at": link.expires_at}


def test_there_is_no_link_to_a_workspace_that_is_not_there(harness: Harness) -> None:
    with pytest.raises(FareboxError) as missing:
        harness.call("links.create", profile_id=999, role="view")
    assert missing.value.kind.status == 404


def test_a_link_is_found_and_struck_out_wherever_it_stands(
    harness: Harness, seal: Seal[LinkToken]
) -> None:
    link = made(harness, seal, harness.workspace(name="Acme", plan="gold"))
    text = f"see {link.url}, made as {link.link_id}"
    assert holds_secret(text)
    assert strike_out(text) == f"see {BASE_URL}{PAGE}#***, made as {link.link_id}"
    # The shortest that there can be, too.
    shortest = seal.seal(LinkToken("link_" + "0" * 12, 1, "view", 2**40, 2**40))
    assert SECRET_PATTERN.count(LINK_PREFIX) == 1
    assert strike_out(shortest) == "***"
