"""The pages of the provider's people, who run the service: one file a page."""

from __future__ import annotations

from farebox.dashboard.operator.overview import show_overview
from farebox.dashboard.operator.sign_in import show_sign_in, sign_in
from farebox.dashboard.site import Page

PAGES = (
    Page("/sign-in", show_sign_in, sign_in, needs="nothing", needs_to_send="nothing"),
    Page("", show_overview),
)
