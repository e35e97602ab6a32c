"""The ledger: every movement of credits is one transfer; a balance is the sum of transfers.

    issued ──grant──▶ grant:N ──charge──▶ spent        history ──history──▶ spent
                      grant:N ──expiry──▶ expired      (imported requests of former periods)
                      grant:N ──repay───▶ overdraft ──charge──▶ spent

Amounts are positive; a balance is credits minus debits, so a workspace's balance is the sum of its
grants' accounts and `overdraft` (0 or below). Spending takes what expires first, then the higher
priority, then the older grant; what no grant covers goes below zero, and the next grant pays that
first. A correction that gives back pays the overdraft first and then makes a grant of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

GrantKind = Literal["plan", "topup", "promotion", "correction"]
TransferKind = Literal["grant", "charge", "history", "expiry", "repay", "correction"]

ISSUED = "issued"
SPENT = "spent"
EXPIRED = "expired"
OVERDRAFT = "overdraft"
HISTORY = "history"
NEVER_MS = 2**63 - 1


class Grant(NamedTuple):
    """Credits given to a workspace, and how much of them is left."""

    grant_id: int
    kind: GrantKind
    priority: int
    created_at_ms: int
    expires_at_ms: int | None
    left_micro: int

    @property
    def account(self) -> str:
        """The grant's own account."""
        return grant_account(self.grant_id)


class Transfer(NamedTuple):
    """One movement of credits; `amount_micro` is above 0."""

    kind: TransferKind
    debit_account: str
    credit_account: str
    amount_micro: int


class Purse(NamedTuple):
    """What a workspace can spend: its grants with credits left, and what it owes (0 or more)."""

    grants: tuple[Grant, ...]
    owed_micro: int

    def balance_micro(self, now_ms: int) -> int:
        """Spendable credits less what is owed; below zero when overdrawn."""
        return sum(g.left_micro for g in live(self.grants, now_ms)) - self.owed_micro


def grant_account(grant_id: int) -> str:
    """The account of a grant."""
    return f"grant:{grant_id}"


def live(grants: Iterable[Grant], now_ms: int) -> list[Grant]:
    """The grants that can be spent at an instant, in spending order."""
    usable = [
        g
        for g in grants
        if g.left_micro > 0 and (g.expires_at_ms is None or g.expires_at_ms > now_ms)
    ]
    return sorted(usable, key=spending_order)


def spending_order(grant: Grant) -> tuple[int, int, int, int]:
    """What expires first, then the higher priority, then the older."""
    expires_ms = NEVER_MS if grant.expires_at_ms is None else grant.expires_at_ms
    return (expires_ms, -grant.priority, grant.created_at_ms, grant.grant_id)


def charge(
    purse: Purse, amount_micro: int, now_ms: int, kind: TransferKind = "charge"
) -> tuple[Purse, list[Transfer]]:
    """Take an amount from a purse, below zero if need be; 0 moves nothing."""
    assert amount_micro >= 0
    transfers: list[Transfer] = []
    left = {g.grant_id: g for g in purse.grants}
    rest_micro = amount_micro
    for grant in live(purse.grants, now_ms):
        if rest_micro == 0:
            break
        taken_micro = min(rest_micro, grant.left_micro)
        transfers.append(Transfer(kind, grant.account, SPENT, taken_micro))
        left[grant.grant_id] = grant._replace(left_micro=grant.left_micro - taken_micro)
        rest_micro -= taken_micro
    if rest_micro:
        transfers.append(Transfer(kind, OVERDRAFT, SPENT, rest_micro))
    grants = tuple(g for g in left.values() if g.left_micro)
    return Purse(grants, purse.owed_micro + rest_micro), transfers


def issue(purse: Purse, grant: Grant, source: str = ISSUED) -> tuple[Purse, list[Transfer]]:
    """Add a grant, whose credits pay what is owed first. `grant.left_micro` is its whole amount."""
    assert grant.left_micro > 0
    kind: TransferKind = "grant" if source == ISSUED else "correction"
    transfers = [Transfer(kind, source, grant.account, grant.left_micro)]
    repaid_micro = min(grant.left_micro, purse.owed_micro)
    if repaid_micro:
        transfers.append(Transfer("repay", grant.account, OVERDRAFT, repaid_micro))
        grant = grant._replace(left_micro=grant.left_micro - repaid_micro)
    grants = (*purse.grants, grant) if grant.left_micro else purse.grants
    return Purse(grants, purse.owed_micro - repaid_micro), transfers


def expire(purse: Purse, now_ms: int) -> tuple[Purse, list[Transfer]]:
    """Move what is left of grants past their end to `expired`."""
    ended = [g for g in purse.grants if g.expires_at_ms is not None and g.expires_at_ms <= now_ms]
    transfers = [
        Transfer("expiry", g.account, EXPIRED, g.left_micro) for g in ended if g.left_micro
    ]
    return Purse(tuple(g for g in purse.grants if g not in ended), purse.owed_micro), transfers


def account_sums(transfers: Iterable[Transfer]) -> dict[str, tuple[int, int]]:
    """What some transfers add to each account: (debits, credits) in micro-credits."""
    sums: dict[str, tuple[int, int]] = {}
    for transfer in transfers:
        debits, credited = sums.get(transfer.debit_account, (0, 0))
        sums[transfer.debit_account] = (debits + transfer.amount_micro, credited)
        debits, credited = sums.get(transfer.credit_account, (0, 0))
        sums[transfer.credit_account] = (debits, credited + transfer.amount_micro)
    return sums
