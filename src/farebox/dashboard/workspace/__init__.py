"""The pages of a workspace's people: one file a page."""

from __future__ import annotations

from farebox.dashboard.site import Page
from farebox.dashboard.workspace.breakdown import download_breakdown, show_breakdown
from farebox.dashboard.workspace.link import follow_link, show_link
from farebox.dashboard.workspace.logs import show_log, show_logs
from farebox.dashboard.workspace.overview import show_overview
from farebox.dashboard.workspace.sign_in import show_sign_in, sign_in
from farebox.dashboard.workspace.usage import download_usage, show_usage

PAGES = (
    Page("/sign-in", show_sign_in, sign_in, needs="nothing", needs_to_send="nothing"),
    Page("/link", show_link, follow_link, needs="nothing", needs_to_send="nothing"),
    Page("", show_overview),
    Page("/usage", show_usage),
    Page("/usage/file", download_usage),
    Page("/breakdown", show_breakdown),
    Page("/breakdown/file", download_breakdown),
    Page("/logs", show_logs),
    Page("/logs/{query_log_id}", show_log),
)
