"""Links: signed by the program's secret, known again until they expire, and shown once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, REVOKED_LINK, FareboxError
from farebox.core.instant import MS_PER_HOUR
from farebox.core.key import LINK_PREFIX, SECRET_PATTERN, holds_secret, strike_out
from farebox.core.link import PAGE, SECONDS_MAX, SECONDS_MIN
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.seal import Seal
from farebox.engine.secret import ProgramSecret
from farebox.service.forms.link import LinkMade
from farebox.service.links import LinkToken, link_seal, open_link, shown, workspace_of_link
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
    told = LinkToken(link.link_id, profile_id, link.role, harness.now_ms, expires_ms, "")
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


def works(harness: Harness, directory: Directory, seal: Seal[LinkToken], link: LinkMade) -> bool:
    """Whether a link leads to its workspace and isn't revoked, by what a process knows."""
    told = open_link(seal, token_of(link), harness.now_ms)
    try:
        workspace = workspace_of_link(told, directory.workspaces)
    except FareboxError as error:
        if error.kind is not REVOKED_LINK:
            raise
        return False
    return workspace.profile_id == told.profile_id


def test_a_revocation_ends_the_links_that_were_made_before_and_no_other(
    harness: Harness, seal: Seal[LinkToken]
) -> None:
    acme, bolt = (harness.workspace(name=name, plan="gold") for name in ("Acme", "Bolt"))
    directory = Directory()
    directory.load(harness.reader)
    # All in one millisecond, which tells nothing of what came first.
    before = [made(harness, seal, acme, role) for role in ("view", "manage")]
    others = made(harness, seal, bolt)
    harness.call("links.revoke", profile_id=acme)
    after = made(harness, seal, acme)
    directory.refresh(harness.reader)
    links = [*before, others, after]
    assert [works(harness, directory, seal, link) for link in links] == [False, False, True, True]
    harness.call("links.revoke", profile_id=acme)
    directory.refresh(harness.reader)
    links.append(made(harness, seal, acme))
    told = [works(harness, directory, seal, link) for link in links]
    assert told == [False, False, True, False, True]


@pytest.mark.parametrize("ahead_ms", [-MS_PER_HOUR, MS_PER_HOUR])
def test_a_revocation_holds_whatever_the_clocks_say(
    harness: Harness, seal: Seal[LinkToken], ahead_ms: int
) -> None:
    """As where one node makes links and another one, whose clock differs, revokes them."""
    profile_id, now_ms = harness.workspace(name="Acme", plan="gold"), harness.now_ms
    directory = Directory()
    directory.load(harness.reader)
    before = made(harness, seal, profile_id, expires_in_seconds=SECONDS_MAX)
    harness.clock.begin_at(now_ms + ahead_ms)
    harness.call("links.revoke", profile_id=profile_id)
    harness.clock.begin_at(now_ms)
    after = made(harness, seal, profile_id, expires_in_seconds=SECONDS_MAX)
    directory.refresh(harness.reader)
    assert [works(harness, directory, seal, link) for link in (before, after)] == [False, True]
    told = harness.select("select at_ms from changes order by change_id desc limit 3")
    assert told == [(now_ms,), (now_ms + ahead_ms,), (now_ms,)]


def test_who_revoked_links_is_kept(harness: Harness) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    harness.call("links.revoke", profile_id=profile_id)
    sql = "select action, kind, ref, profile_id, at_ms, actor from changes order by change_id desc"
    *kept, actor = harness.select(sql)[0]
    assert kept == ["revoke_links", "workspace", str(profile_id), profile_id, harness.now_ms]
    assert actor
    with pytest.raises(FareboxError) as missing:
        harness.call("links.revoke", profile_id=999)
    assert missing.value.kind.status == 404


def test_a_link_is_found_and_struck_out_wherever_it_stands(
    harness: Harness, seal: Seal[LinkToken]
) -> None:
    link = made(harness, seal, harness.workspace(name="Acme", plan="gold"))
    text = f"see {link.url}, made as {link.link_id}"
    assert holds_secret(text)
    assert strike_out(text) == f"see {BASE_URL}{PAGE}#***, made as {link.link_id}"
    # The shortest that there can be, too.
    shortest = seal.seal(LinkToken("link_" + "0" * 12, 1, "view", 2**40, 2**40, ""))
    assert SECRET_PATTERN.count(LINK_PREFIX) == 1
    assert strike_out(shortest) == "***"
