"""Links into the dashboard of a workspace: make them, know them again, and end them all at once.

A link is a signed token that says all of itself; nothing is stored but who made it and when, in
the record of changes. The recorder doesn't know the program's secret: who asks for a link signs it
for the one answer that shows it.

A link and the sessions of a workspace carry its `session_epoch`. To revoke them is to give the
workspace another one, drawn by chance: no two clocks are compared, so what was made before the
transaction of the revocation has ended and what is made after it works, whatever the nodes' clocks
say; and an epoch never comes back, not even in a database that was restored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from farebox.core.errors import EXPIRED_LINK, INVALID_LINK, REVOKED_LINK, FareboxError
from farebox.core.instant import MS_PER_SECOND, to_iso_ms
from farebox.core.key import LINK_PREFIX, mint_id
from farebox.core.link import Role, link_url
from farebox.core.workspace import Workspace
from farebox.engine.seal import Seal
from farebox.engine.transaction import Command, Transaction
from farebox.service.forms.common import Nothing
from farebox.service.forms.link import LinkBegun, LinkMade, LinkMake, LinksRevoke
from farebox.service.workspaces import workspace_row

PURPOSE = "links"
EPOCH_BYTES = 8


class LinkToken(msgspec.Struct, array_like=True, frozen=True):
    """What the token of a link says."""

    link_id: str
    profile_id: int
    role: Role
    made_ms: int
    expires_ms: int
    session_epoch: str


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


def workspace_of_link(link: LinkToken, workspaces: Mapping[int, Workspace]) -> Workspace:
    """The workspace that a link leads to; of all those that the directory knows.

    Raises:
        FareboxError: 401, there is no such workspace, or its links were revoked since.
    """
    workspace = workspaces.get(link.profile_id)
    if workspace is None:
        raise FareboxError(INVALID_LINK)
    if link.session_epoch != workspace.session_epoch:
        raise FareboxError(REVOKED_LINK)
    return workspace


def shown(begun: LinkBegun, seal: Seal[LinkToken], base_url: str) -> LinkMade:
    """A new link with its URL; without, when the call was a repeat."""
    token = LinkToken(
        begun.link_id,
        begun.profile_id,
        begun.role,
        begun.made_ms,
        begun.expires_ms,
        begun.session_epoch,
    )
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
        session_epoch=str(tx.db.value("session_epoch", profile_id=workspace.profile_id)),
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


def revoke_links(tx: Transaction, revoked: LinksRevoke) -> Nothing:
    """End all links into a workspace and all its sessions; operators and API keys stay."""
    profile_id = workspace_row(tx.db, revoked.profile_id).profile_id
    session_epoch = tx.entropy.random_bytes(EPOCH_BYTES).hex()
    tx.db.execute("session_epoch_set", profile_id=profile_id, session_epoch=session_epoch)
    # The workspace is what every process reads again.
    tx.change("revoke_links", "workspace", profile_id, profile_id=profile_id)
    return Nothing()


def _repeated(begun: LinkBegun) -> LinkBegun:
    return msgspec.structs.replace(begun, is_new=False)


COMMANDS = (
    Command("links.create", LinkMake, create_link, _repeated),
    Command("links.revoke", LinksRevoke, revoke_links),
)
