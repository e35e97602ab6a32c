"""The ledger: every movement of credits is one transfer; a balance is the sum of transfers.

    issued ──grant──▶ grant:N ──charge──▶ spent        history ──history──▶ spent
                      grant:N ──expiry──▶ expired      (imported requests of former periods)
                      grant:N ──repay───▶ overdraft ──charge──▶ spent
                      grant:N ──draw────▶ drawn:N ──charge──▶ spent
                      grant:N ◀─return─── drawn:N ──expiry──▶ expired

Amounts are positive; a balance is credits minus debits, so a workspace's balance is the sum of its
grants' accounts, drawn and not, and `overdraft` (0 or below). Spending takes what expires first,
then the higher priority, then the older grant; what no grant covers goes below zero, and the next
grant pays that first. A correction that gives back pays the overdraft first and then makes a grant
of its own.

Drawn credits are those that a process may admit by, or holds for requests it admitted: nothing
else is charged to them, and they outlive their grant. What comes back of a grant that has ended
expires then; what comes back while something is owed pays that first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

GrantKind = Literal["plan", "topup", "promotion", "correction"]
TransferKind = Literal[
    "grant", "charge", "history", "expiry", "repay", "correction", "draw", "return"
]

ISSUED = "issued"
SPENT = "spent"
EXPIRED = "expired"
OVERDRAFT = "overdraft"
HISTORY = "history"
NEVER_MS = 2**63 - 1


class Grant(NamedTuple):
    """Credits given to a workspace, how much of them is left, and how much is drawn besides."""

    grant_id: int
    kind: GrantKind
    priority: int
    created_at_ms: int
    expires_at_ms: int | None
    left_micro: int
    drawn_micro: int = 0

    @property
    def account(self) -> str:
        """The grant's own account."""
        return grant_account(self.grant_id)

    @property
    def drawn_account(self) -> str:
        """The account of what is drawn of it."""
        return f"drawn:{self.grant_id}"

    def is_live(self, now_ms: int) -> bool:
        """Whether it has not expired."""
        return self.expires_at_ms is None or self.expires_at_ms > now_ms


class Transfer(NamedTuple):
    """One movement of credits; `amount_micro` is above 0."""

    kind: TransferKind
    debit_account: str
    credit_account: str
    amount_micro: int


class Moved(NamedTuple):
    """What a period sums up, in micro-credits; corrections are charged less given back."""

    granted_micro: int
    expired_micro: int
    charged_micro: int
    corrected_micro: int

    @property
    def net_micro(self) -> int:
        """What it adds to the balance by the book."""
        return self.granted_micro - self.expired_micro - self.charged_micro - self.corrected_micro


class Purse(NamedTuple):
    """What a workspace can spend: its grants with credits left or drawn, and what it owes."""

    grants: tuple[Grant, ...]
    owed_micro: int

    def balance_micro(self, now_ms: int) -> int:
        """Spendable credits, drawn ones too, less what is owed; below zero when overdrawn."""
        usable = (g.left_micro + g.drawn_micro for g in self.grants if g.is_live(now_ms))
        return sum(usable) - self.owed_micro

    @property
    def book_micro(self) -> int:
        """What the ledger says: also what is drawn of grants that have ended since."""
        return sum(g.left_micro + g.drawn_micro for g in self.grants) - self.owed_micro

    def undrawn_micro(self, now_ms: int) -> int:
        """What may still be drawn."""
        return sum(g.left_micro for g in live(self.grants, now_ms))


def grant_account(grant_id: int) -> str:
    """The account of a grant."""
    return f"grant:{grant_id}"


def live(grants: Iterable[Grant], now_ms: int) -> list[Grant]:
    """The grants that can be spent at an instant, in spending order."""
    usable = [g for g in grants if g.left_micro > 0 and g.is_live(now_ms)]
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
    return Purse(_kept(left.values()), purse.owed_micro + rest_micro), transfers


def draw(
    purse: Purse, amount_micro: int, now_ms: int
) -> tuple[Purse, list[Transfer], list[tuple[Grant, int]]]:
    """Set an amount apart that is there: by which grants, and how much of each, in their order."""
    assert 0 < amount_micro <= purse.undrawn_micro(now_ms)
    grants = {g.grant_id: g for g in purse.grants}
    transfers: list[Transfer] = []
    pieces: list[tuple[Grant, int]] = []
    rest_micro = amount_micro
    for grant in live(purse.grants, now_ms):
        taken_micro = min(rest_micro, grant.left_micro)
        if taken_micro == 0:
            break
        transfers.append(Transfer("draw", grant.account, grant.drawn_account, taken_micro))
        grants[grant.grant_id] = _moved(grant, -taken_micro, taken_micro)
        pieces.append((grant, taken_micro))
        rest_micro -= taken_micro
    return Purse(tuple(grants.values()), purse.owed_micro), transfers, pieces


def charge_drawn(purse: Purse, amounts_micro: Mapping[int, int]) -> tuple[Purse, list[Transfer]]:
    """Charge what is drawn: micro-credits by grant id, whether or not the grant has ended."""
    grants = {g.grant_id: g for g in purse.grants}
    transfers = []
    for grant_id, amount_micro in amounts_micro.items():
        grant = grants[grant_id]
        transfers.append(Transfer("charge", grant.drawn_account, SPENT, amount_micro))
        grants[grant_id] = _moved(grant, 0, -amount_micro)
    return Purse(_kept(grants.values()), purse.owed_micro), transfers


def give_back(
    purse: Purse, amounts_micro: Mapping[int, int], now_ms: int
) -> tuple[Purse, list[Transfer]]:
    """Return what is drawn and not used: micro-credits by grant id."""
    grants = {g.grant_id: g for g in purse.grants}
    transfers = []
    owed_micro = purse.owed_micro
    for grant_id, amount_micro in amounts_micro.items():
        grant = _moved(grants[grant_id], 0, -amount_micro)
        if grant.is_live(now_ms):
            transfers.append(Transfer("return", grant.drawn_account, grant.account, amount_micro))
            repaid_micro = min(amount_micro, owed_micro)
            if repaid_micro:
                transfers.append(Transfer("repay", grant.account, OVERDRAFT, repaid_micro))
                owed_micro -= repaid_micro
            grant = _moved(grant, amount_micro - repaid_micro, 0)
        else:
            transfers.append(Transfer("expiry", grant.drawn_account, EXPIRED, amount_micro))
        grants[grant_id] = grant
    return Purse(_kept(grants.values()), owed_micro), transfers


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
    """Move what is left of grants past their end to `expired`; what is drawn of them stays so."""
    ended = [g for g in purse.grants if g.left_micro and not g.is_live(now_ms)]
    transfers = [Transfer("expiry", g.account, EXPIRED, g.left_micro) for g in ended]
    kept = (g._replace(left_micro=0) if g in ended else g for g in purse.grants)
    return Purse(_kept(kept), purse.owed_micro), transfers


def account_sums(transfers: Iterable[Transfer]) -> dict[str, tuple[int, int]]:
    """What some transfers add to each account: (debits, credits) in micro-credits."""
    sums: dict[str, tuple[int, int]] = {}
    for transfer in transfers:
        debits, credited = sums.get(transfer.debit_account, (0, 0))
        sums[transfer.debit_account] = (debits + transfer.amount_micro, credited)
        debits, credited = sums.get(transfer.credit_account, (0, 0))
        sums[transfer.credit_account] = (debits, credited + transfer.amount_micro)
    return sums


def moved_by(transfers: Iterable[Transfer]) -> Moved:
    """What some transfers add to the sums of their period; others only move between accounts."""
    sums = {"grant": 0, "expiry": 0, "charge": 0, "correction": 0}
    for kind, debit_account, _, amount_micro in transfers:
        if kind in sums:
            gives_back = kind == "correction" and debit_account == SPENT
            sums[kind] += -amount_micro if gives_back else amount_micro
    return Moved(sums["grant"], sums["expiry"], sums["charge"], sums["correction"])


def _moved(grant: Grant, left_micro: int, drawn_micro: int) -> Grant:
    moved = grant._replace(
        left_micro=grant.left_micro + left_micro, drawn_micro=grant.drawn_micro + drawn_micro
    )
    assert moved.left_micro >= 0
    assert moved.drawn_micro >= 0
    return moved


def _kept(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """The grants that something is left or drawn of."""
    return tuple(g for g in grants if g.left_micro or g.drawn_micro)
