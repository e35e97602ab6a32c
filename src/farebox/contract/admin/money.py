"""Grants, corrections and statements in the admin API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.contract.admin.common import (
    REQUEST_ID,
    STAMP,
    WORKSPACE,
    Form,
    NextCursor,
    PageQuery,
    Texts,
    read,
    write,
)
from farebox.contract.wire import JsonObject
from farebox.service.forms.money import (
    CorrectionCreate,
    CorrectionData,
    GrantCreate,
    GrantData,
    StatementData,
)

_GRANT: JsonObject = {
    "grant_id": 2,
    "kind": "topup",
    "credits": 500,
    "credits_left": 500,
    "priority": 0,
    "created_at": STAMP,
    "expires_at": None,
}
_CORRECTION: JsonObject = {
    "correction_id": 1,
    "request_id": REQUEST_ID,
    "credits": -3,
    "reason": "The search came back empty.",
    "created_at": STAMP,
}
_STATEMENT: JsonObject = {
    "profile_id": 1,
    "name": "Acme Corporation",
    "plan": "gold",
    "timezone": "Europe/Berlin",
    "period_start": "2026-04-30T22:00:00.000Z",
    "period_end": "2026-05-31T22:00:00.000Z",
    "is_closed": False,
    "opening_balance": 0,
    "granted": 2500,
    "expired": 0,
    "charged": 749.5,
    "corrected": -3,
    "closing_balance": 1753.5,
    "grants": [
        {
            "grant_id": 1,
            "kind": "plan",
            "credits": 2000,
            "at": "2026-04-30T22:00:00.000Z",
            "expires_at": "2026-05-31T22:00:00.000Z",
        },
        {"grant_id": 2, "kind": "topup", "credits": 500, "at": STAMP, "expires_at": None},
    ],
    "charges": [
        {"slug": "people_search", "name": "People Search", "requests": 299, "credits": 747.5},
        {"slug": None, "name": "Unknown", "requests": 2, "credits": 2},
    ],
    "expiries": [],
    "corrections": [_CORRECTION],
    "history_charged": 0,
    "history_charges": [],
    "is_cut": False,
}


class GrantsAnswer(Struct, frozen=True):
    """A page of grants."""

    data: list[GrantData]
    next_cursor: NextCursor


class CorrectionsAnswer(Struct, frozen=True):
    """A page of corrections."""

    data: list[CorrectionData]
    next_cursor: NextCursor


class StatementQuery(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which period."""

    period: Annotated[
        str | None,
        Meta(
            description=(
                "The month in which the period starts, `YYYY-MM`, or an RFC 3339 time within it. "
                "Default: the current period."
            ),
            examples=["2026-05"],
        ),
    ] = None


GRANTS_CREATE = write(
    "admin_grants_create",
    "POST",
    f"{WORKSPACE}/grants",
    Texts(
        "Grant Credits",
        "Give credits to a workspace",
        "They pay what the workspace owes first. The plan credits of each period need no call.",
    ),
    Form(GrantCreate, {"credits": 500, "kind": "topup"}),
    Form(GrantData, _GRANT),
)
GRANTS_LIST = read(
    "admin_grants_list",
    f"{WORKSPACE}/grants",
    Texts(
        "List the Grants",
        "List the grants of a workspace",
        "All grants of the workspace, the oldest first, with what is left of each.",
    ),
    Form(GrantsAnswer, {"data": [_GRANT], "next_cursor": None}),
    query=PageQuery,
)
CORRECTIONS_CREATE = write(
    "admin_corrections_create",
    "POST",
    f"{WORKSPACE}/corrections",
    Texts(
        "Correct a Request",
        "Correct what a request cost",
        "Moves today's credits and changes no report. Credits given back don't expire.",
    ),
    Form(
        CorrectionCreate,
        {
            "request_id": REQUEST_ID,
            "credits": -3,
            "reason": "The search came back empty.",
        },
    ),
    Form(CorrectionData, _CORRECTION),
)
CORRECTIONS_LIST = read(
    "admin_corrections_list",
    f"{WORKSPACE}/corrections",
    Texts(
        "List the Corrections",
        "List the corrections of a workspace",
        "All corrections of the workspace, the oldest first.",
    ),
    Form(CorrectionsAnswer, {"data": [_CORRECTION], "next_cursor": None}),
    query=PageQuery,
)
STATEMENT_GET = read(
    "admin_statement_get",
    f"{WORKSPACE}/statement",
    Texts(
        "Statement",
        "Get the statement of a period",
        "What to invoice from: the balance at the start of the period, all that moved since, and "
        "the balance at its end, equal to the ledger.",
    ),
    Form(StatementData, _STATEMENT),
    query=StatementQuery,
)

OPERATIONS = (
    GRANTS_CREATE,
    GRANTS_LIST,
    CORRECTIONS_CREATE,
    CORRECTIONS_LIST,
    STATEMENT_GET,
)
