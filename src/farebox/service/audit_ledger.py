"""Audit of the ledger: what was recorded was charged, and the books follow from the transfers."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS
from farebox.core.invariants import NOTHING
from farebox.core.invariants_ledger import (
    LEDGER_RULES,
    AccountSums,
    DrawSums,
    Flow,
    GrantTerms,
    Ledger,
    PeriodSums,
)
from farebox.service.audit_findings import AmountGap, Audited, Findings, UsageGap, place
from farebox.service.audit_rollups import LogSums
from farebox.store.contract import Reader


class _Backwards(NamedTuple):
    commit_id: int
    before_ms: int
    at_ms: int
    gaps: int


class _Missing(NamedTuple):
    commit_id: int
    gaps: int


class _Untimely(NamedTuple):
    commit_id: int
    kind: str
    expected_ms: int
    at_ms: int
    gaps: int


class _Lone(NamedTuple):
    correction_id: int
    query_log_id: str
    gaps: int


def check_commits_order(reader: Reader, findings: Findings) -> None:
    """Time never runs back from one commit to the next."""
    with findings.checking("commits", reader.integer("audit_commits_count")):
        rows = reader.rows("audit_commits_order", _Backwards, limit=findings.room("commits"))
        gaps = [
            (
                place(row, "commit_id"),
                f"at_ms {row.before_ms} or later",
                f"at_ms {row.at_ms}",
                row.gaps,
            )
            for row in rows
        ]
        findings.add_others("commits", None, gaps)


def check_commits(reader: Reader, workspace: Audited, sums: LogSums, findings: Findings) -> None:
    """Every commit that is named exists, and what it moved was moved at its time."""
    profile_id = workspace.profile_id
    with findings.checking("commits"):
        missing = reader.rows(
            "audit_commits_missing",
            _Missing,
            profile_id=profile_id,
            limit=findings.room("commits"),
        )
        gaps = [(place(row, "commit_id"), "a commit", NOTHING, row.gaps) for row in missing]
        findings.add_others("commits", profile_id, gaps)
    with findings.checking("times", sums.transfers + sums.corrections):
        untimely = reader.rows(
            "audit_times", _Untimely, profile_id=profile_id, limit=findings.room("times")
        )
        gaps = [
            (
                place(row, "commit_id", "kind"),
                f"at_ms {row.expected_ms}",
                f"at_ms {row.at_ms}",
                row.gaps,
            )
            for row in untimely
        ]
        findings.add_others("times", profile_id, gaps)


def check_charges(reader: Reader, workspace: Audited, sums: LogSums, findings: Findings) -> None:
    """By commit, and by quarter hour and log type, what was recorded was charged."""
    profile_id = workspace.profile_id
    with findings.checking("by_commit", sums.requests + sums.transfers):
        by_commit = reader.rows(
            "audit_by_commit", AmountGap, profile_id=profile_id, limit=findings.room("by_commit")
        )
        findings.add_amount_gaps("by_commit", profile_id, by_commit)
    with findings.checking("charges", sums.charges):
        by_quarter = reader.rows(
            "audit_charges",
            UsageGap,
            profile_id=profile_id,
            quarter_ms=QUARTER_MS,
            limit=findings.room("charges"),
        )
        findings.add_usage_gaps("charges", profile_id, by_quarter)
    with findings.checking("history", sums.charges):
        history = reader.rows(
            "audit_history",
            AmountGap,
            profile_id=profile_id,
            quarter_ms=QUARTER_MS,
            limit=findings.room("history"),
        )
        findings.add_amount_gaps("history", profile_id, history)


def check_corrections(
    reader: Reader, workspace: Audited, sums: LogSums, findings: Findings
) -> None:
    """A correction corrects a log row, and moved what it says."""
    profile_id = workspace.profile_id
    with findings.checking("corrections", sums.corrections):
        by_commit = reader.rows(
            "audit_corrections",
            AmountGap,
            profile_id=profile_id,
            limit=findings.room("corrections"),
        )
        findings.add_amount_gaps("corrections", profile_id, by_commit)
        lone = reader.rows(
            "audit_corrected", _Lone, profile_id=profile_id, limit=findings.room("corrections")
        )
        gaps = [
            (place(row, "correction_id", "query_log_id"), "a log row", NOTHING, row.gaps)
            for row in lone
        ]
        findings.add_others("corrections", profile_id, gaps)


def check_ledger(reader: Reader, workspace: Audited, sums: LogSums, findings: Findings) -> None:
    """Accounts, grants and periods follow from the transfers."""
    profile_id = workspace.profile_id
    with findings.checking("transfers", sums.transfers):
        ledger = Ledger(
            profile_id,
            reader.rows("audit_flows", Flow, profile_id=profile_id),
            reader.rows("audit_accounts", AccountSums, profile_id=profile_id),
            reader.rows("audit_grants", GrantTerms, profile_id=profile_id),
            reader.rows("audit_periods", PeriodSums, profile_id=profile_id),
            reader.rows("audit_draws", DrawSums, profile_id=profile_id),
        )
    rows = {
        "transfers": 0,
        "conservation": len(ledger.accounts),
        "accounts": len(ledger.accounts),
        "grants": len(ledger.grants),
        "overdraft": len(ledger.accounts),
        "draws": len(ledger.draws),
        "periods": len(ledger.periods),
    }
    for check, rule in LEDGER_RULES.items():
        with findings.checking(check, rows[check]):
            findings.add(rule(ledger))
