"""The pages of a workspace's people: one file a page."""

from __future__ import annotations

from farebox.dashboard.site import Page
from farebox.dashboard.workspace.link import follow_link, show_link
from farebox.dashboard.workspace.overview import show_overview
from farebox.dashboard.workspace.sign_in import show_sign_in, sign_in

PAGES = (
    Page("/sign-in", show_sign_in, sign_in, needs="nothing", needs_to_send="nothing"),
    Page("/link", show_link, follow_link, needs="nothing", needs_to_send="nothing"),
    Page("", show_overview),
)
