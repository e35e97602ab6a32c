"""Links into the dashboard: create."""

from __future__ import annotations

from farebox.api.admin.common import joined, profile_id_of, write
from farebox.api.call import Answer, Call, Handler
from farebox.contract.admin import links as contract
from farebox.service.forms.link import LinkBegun, LinkCreate, LinkMake
from farebox.service.links import shown


async def create_link(call: Call) -> Answer:
    """Make a link; it is told here."""
    context = call.context
    context.secret.check()
    form = joined(LinkMake, call.body(LinkCreate), profile_id=profile_id_of(call))
    begun = await write(call, "links.create", form, LinkBegun)
    return shown(begun, context.link_seal, context.base_url)


HANDLERS: dict[str, Handler] = {contract.LINKS_CREATE.operation_id: create_link}
