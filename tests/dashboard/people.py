"""People who come to the pages of the shop by a link of the provider."""

from __future__ import annotations

import httpx

from farebox.core.link import PAGE, Role
from farebox.service.links import shown
from tests.support.shop import Shop
from tests.support.visitor import Visitor

DAY_SECONDS = 86_400


def catch_up(shop: Shop) -> None:
    """Let the server know what was done beside it."""
    shop.api.run(shop.api.context.follower.catch_up())


def by_a_link(shop: Shop) -> str:
    """Whom the record of changes names for who came by the last link."""
    sql = "select ref from changes where kind = 'link' order by change_id desc limit 1"
    return f"link:{shop.harness.select(sql)[0][0]}"


def by_link(shop: Shop, role: Role = "manage", *, language: str = "en") -> Visitor:
    """Somebody who came to the shop's workspace by a new link."""
    begun = shop.harness.call(
        "links.create", profile_id=shop.profile_id, role=role, expires_in_seconds=DAY_SECONDS
    )
    link = shown(begun, shop.api.context.link_seal, "")
    assert link.url is not None
    visitor = Visitor(shop.api, language)
    page = visitor.send(visitor.get(PAGE), PAGE, token=link.url.partition("#")[2])
    assert page.status == httpx.codes.OK, page.text
    assert page.path == "/dashboard"
    return visitor
