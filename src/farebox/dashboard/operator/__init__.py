"""The pages of the provider's people, who run the service: one file a page, or a few alike."""

from __future__ import annotations

from farebox.dashboard.operator.audits import audit_now, show_audit, show_audits
from farebox.dashboard.operator.books import show_ledger, show_statement
from farebox.dashboard.operator.credits import (
    correct,
    give_credits,
    show_corrections,
    show_grants,
)
from farebox.dashboard.operator.fleet import show_processes, show_settings
from farebox.dashboard.operator.links import make_link, show_link_form
from farebox.dashboard.operator.log_types import (
    change_log_type,
    make_log_type,
    show_log_type,
    show_log_types,
    show_new_log_type,
)
from farebox.dashboard.operator.overview import show_overview
from farebox.dashboard.operator.plans import (
    change_plan,
    make_plan,
    show_new_plan,
    show_plan,
    show_plans,
)
from farebox.dashboard.operator.refusals import show_refusals, show_refusals_of_one
from farebox.dashboard.operator.sign_in import show_sign_in, sign_in
from farebox.dashboard.operator.tokens import make_token, revoke_token, show_tokens
from farebox.dashboard.operator.users import change_user, make_user, show_user, show_users
from farebox.dashboard.operator.workspaces import (
    change_terms,
    make_workspace,
    show_new_workspace,
    show_terms,
    show_workspace,
    show_workspaces,
)
from farebox.dashboard.site import Page
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
from farebox.dashboard.workspace.logs import show_log, show_logs
from farebox.dashboard.workspace.sign_out import sign_everyone_out
from farebox.dashboard.workspace.usage import download_usage, show_usage

# No slug and no id begins with `_`, so that new things have addresses of their own.
_ONE = "/workspaces/{profile_id}"
_OF_ONE = (
    Page(_ONE, show_workspace),
    Page(f"{_ONE}/terms", show_terms, change_terms),
    Page(f"{_ONE}/usage", show_usage),
    Page(f"{_ONE}/usage/file", download_usage),
    Page(f"{_ONE}/breakdown", show_breakdown),
    Page(f"{_ONE}/breakdown/file", download_breakdown),
    Page(f"{_ONE}/logs", show_logs),
    Page(f"{_ONE}/logs/{{query_log_id}}", show_log),
    Page(f"{_ONE}/users", show_users, make_user),
    Page(f"{_ONE}/users/{{user_id}}", show_user, change_user),
    Page(f"{_ONE}/keys", show_keys),
    Page(f"{_ONE}/keys/new", show_new_key, make_key),
    Page(f"{_ONE}/keys/{{key_id}}", show_key, change_key),
    Page(f"{_ONE}/keys/{{key_id}}/rotate", show_rotation, rotate_key),
    Page(f"{_ONE}/keys/{{key_id}}/revoke", show_revocation, revoke_key),
    Page(f"{_ONE}/grants", show_grants, give_credits),
    Page(f"{_ONE}/corrections", show_corrections, correct),
    Page(f"{_ONE}/statement", show_statement),
    Page(f"{_ONE}/ledger", show_ledger),
    Page(f"{_ONE}/refusals", show_refusals_of_one),
    Page(f"{_ONE}/link", show_link_form, make_link),
    Page(f"{_ONE}/sign-out/everyone", None, sign_everyone_out),
)
PAGES = (
    Page("/sign-in", show_sign_in, sign_in, needs="nothing", needs_to_send="nothing"),
    Page("", show_overview),
    Page("/workspaces", show_workspaces),
    Page("/workspaces/new", show_new_workspace, make_workspace),
    *_OF_ONE,
    Page("/plans", show_plans),
    Page("/plans/_new", show_new_plan, make_plan),
    Page("/plans/{slug}", show_plan, change_plan),
    Page("/log-types", show_log_types),
    Page("/log-types/_new", show_new_log_type, make_log_type),
    Page("/log-types/{slug}", show_log_type, change_log_type),
    Page("/refusals", show_refusals),
    Page("/audit", show_audits, audit_now),
    Page("/audit/{audit_id}", show_audit),
    Page("/processes", show_processes),
    Page("/tokens", show_tokens, make_token),
    Page("/tokens/{token_id}/revoke", None, revoke_token),
    Page("/settings", show_settings),
)
