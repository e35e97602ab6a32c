"""Links into the dashboard of a workspace: make them, and know them again.

A link is a signed token that says all of itself; nothing is stored but who made it and when, in
the record of changes. The recorder doesn't know the program's secret: who asks for a link signs it
for the one answer that shows it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, FareboxError
from farebox.core.instant import MS_PER_SECOND, to_iso_ms
from farebox.core.key import LINK_PREFIX, mint_id
from farebox.core.link import Role, link_url
from farebox.engine.seal import Seal
from farebox.engine.transaction import Command, Transaction
from farebox.service.forms.link import LinkBegun, LinkMade, LinkMake
from farebox.service.workspaces import workspace_row

PURPOSE = "links"


class LinkToken(msgspec.Struct, array_like=True, frozen=True):
    """What the token of a link says."""

    link_id: str
    profile_id: int
    role: Role
    made_ms: int
    expires_ms: int


def link_seal(derive: Callable[[str], bytes]) -> Seal[LinkToken]:
    """What signs links; `derive` gives the secret for a purpose."""
    return Seal(LinkToken, LINK_PREFIX, PURPOSE, derive, wrong=INVALID_LINK)


def open_link(seal: Seal[LinkToken], token: str, now_ms: int) -> LinkToken:
    """What a link's token says. The workspace may be suspended, or gone.

    Raises:
        FareboxError: 401, it is no link of ours, or it has expired.
    """
    link = seal.open(token)
    if link.expires_ms <= now_ms:
        raise FareboxError(EXPIRED_LINK)
    return link


def shown(begun: LinkBegun, seal: Seal[LinkToken], base_url: str) -> LinkMade:
    """A new link with its URL; without, when the call was a repeat."""
    token = LinkToken(begun.link_id, begun.profile_id, begun.role, begun.made_ms, begun.expires_ms)
    return LinkMade(
        link_id=begun.link_id,
        role=begun.role,
        expires_at=to_iso_ms(begun.expires_ms),
        url=link_url(base_url, seal.seal(token)) if begun.is_new else None,
    )


def create_link(tx: Transaction, made: LinkMake) -> LinkBegun:
    """Make a link to a workspace."""
    workspace = workspace_row(tx.db, made.profile_id)
    begun = LinkBegun(
        link_id=mint_id("link_", tx.entropy.random_below),
        profile_id=workspace.profile_id,
        role=made.role,
        made_ms=tx.now_ms,
        expires_ms=tx.now_ms + made.expires_in_seconds * MS_PER_SECOND,
        is_new=True,
    )
    tx.change(
        "create",
        "link",
        begun.link_id,
        profile_id=begun.profile_id,
        detail={"role": begun.role, "expires_at": to_iso_ms(begun.expires_ms)},
    )
    return begun


def _repeated(begun: LinkBegun) -> LinkBegun:
    return msgspec.structs.replace(begun, is_new=False)


COMMANDS = (Command("links.create", LinkMake, create_link, _repeated),)
