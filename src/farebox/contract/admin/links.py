"""Links into the dashboard in the admin API."""

from __future__ import annotations

from farebox.contract.admin.common import WORKSPACE, Form, Texts, end, write
from farebox.service.forms.link import LinkCreate, LinkMade

LINKS_CREATE = write(
    "admin_links_create",
    "POST",
    f"{WORKSPACE}/links",
    Texts(
        "Create a Link",
        "Create a link into the dashboard of a workspace",
        "Whoever opens the link is signed in with its role until it expires: send it to your "
        "customer, or embed it in your own site. It is in this answer only, and never shown again.",
    ),
    Form(LinkCreate, {"role": "manage", "expires_in_seconds": 3600}),
    Form(
        LinkMade,
        {
            "link_id": "link_5hZ0c2rWq8Lm",
            "role": "manage",
            "expires_at": "2026-05-05T12:09:42.508Z",
            "url": "https://usage.example.com/dashboard/link#lnk_…",
        },
    ),
)
LINKS_REVOKE = end(
    "admin_links_revoke",
    f"{WORKSPACE}/links",
    Texts(
        "Revoke the Links",
        "End all links and dashboard sessions of a workspace",
        "For a link that went to the wrong person, or a lost laptop. Every link into the dashboard "
        "of the workspace and everyone who is signed in to it is refused at once on this process, "
        "and within a second on every other. API keys still work, also to sign in anew.",
    ),
)

OPERATIONS = (LINKS_CREATE, LINKS_REVOKE)
