"""Links into the dashboard: create one, revoke all."""

from __future__ import annotations

from farebox.api.admin.common import joined, profile_id_of, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import links as contract
from farebox.service.forms.common import Nothing
from farebox.service.forms.link import LinkBegun, LinkCreate, LinkMake, LinksRevoke
from farebox.service.links import shown


async def create_link(call: Call) -> Answer:
    """Make a link; it is told here."""
    context = call.context
    context.secret.check()
    form = joined(LinkMake, call.body(LinkCreate), profile_id=profile_id_of(call))
    begun = await write(call, "links.create", form, LinkBegun)
    return shown(begun, context.link_seal, context.base_url)


async def revoke_links(call: Call) -> Answer:
    """End all links and sessions of a workspace."""
    await write(call, "links.revoke", LinksRevoke(profile_id=profile_id_of(call)), Nothing)
    return None


HANDLERS: dict[str, Handler] = {
    contract.LINKS_CREATE.operation_id: create_link,
    contract.LINKS_REVOKE.operation_id: revoke_links,
}
