"""The admin API: handlers by operation id. They parse, call a service, and render."""

from __future__ import annotations

from farebox.api.admin import keys, links, money, plans, refusals, webhooks, workspaces
from farebox.api.call import Handler

HANDLERS: dict[str, Handler] = {
    **plans.HANDLERS,
    **workspaces.HANDLERS,
    **keys.HANDLERS,
    **links.HANDLERS,
    **money.HANDLERS,
    **webhooks.HANDLERS,
    **refusals.HANDLERS,
}
