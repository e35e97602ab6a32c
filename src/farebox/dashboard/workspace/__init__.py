"""The pages of a workspace's people: one file a page."""

from __future__ import annotations

from farebox.dashboard.site import Page
from farebox.dashboard.workspace.alerts import end_alert, make_alert, show_alerts, show_end
from farebox.dashboard.workspace.breakdown import download_breakdown, show_breakdown
from farebox.dashboard.workspace.key_writes import (
    change_key,
    make_key,
    revoke_key,
    rotate_key,
    show_new_key,
    show_revocation,
    show_rotation,
)
from farebox.dashboard.workspace.keys import show_key, show_keys
from farebox.dashboard.workspace.link import follow_link, show_link
from farebox.dashboard.workspace.logs import show_log, show_logs
from farebox.dashboard.workspace.overview import show_overview
from farebox.dashboard.workspace.sign_in import show_sign_in, sign_in
from farebox.dashboard.workspace.sign_out import sign_everyone_out
from farebox.dashboard.workspace.usage import download_usage, show_usage

PAGES = (
    Page("/sign-in", show_sign_in, sign_in, needs="nothing", needs_to_send="nothing"),
    Page("/link", show_link, follow_link, needs="nothing", needs_to_send="nothing"),
    Page("/sign-out/everyone", None, sign_everyone_out),
    Page("", show_overview),
    Page("/usage", show_usage),
    Page("/usage/file", download_usage),
    Page("/breakdown", show_breakdown),
    Page("/breakdown/file", download_breakdown),
    Page("/logs", show_logs),
    Page("/logs/{query_log_id}", show_log),
    Page("/keys", show_keys),
    Page("/keys/new", show_new_key, make_key, needs="manage"),
    Page("/keys/{key_id}", show_key, change_key),
    Page("/keys/{key_id}/rotate", show_rotation, rotate_key, needs="manage"),
    # A session may revoke the key that it was begun with.
    Page("/keys/{key_id}/revoke", show_revocation, revoke_key, needs_to_send="session"),
    Page("/alerts", show_alerts, make_alert),
    Page("/alerts/{alert_id}/end", show_end, end_alert, needs="manage"),
)
