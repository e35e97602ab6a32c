"""The ledger's invariants: accounts, grants and periods follow from the transfers.

The rules believe the transfers and judge what is derived from them. Transfers come as flows, summed
by period, kind and accounts, so that a workspace with millions of them stays small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from farebox.core.invariants import NOTHING, Difference
from farebox.core.ledger import (
    EXPIRED,
    HISTORY,
    ISSUED,
    OVERDRAFT,
    SPENT,
    GrantKind,
    TransferKind,
    grant_account,
)

_GRANT = grant_account(0)[:-1]
_DRAWN = "drawn:"


class Flow(NamedTuple):
    """All transfers of a workspace with the same period, kind and accounts.

    `period_start_ms` is the start of the last period that began by then; None before the first.
    """

    period_start_ms: int | None
    kind: TransferKind
    debit_account: str
    credit_account: str
    transfers: int
    amount_micro: int
    least_micro: int
    first_ms: int
    last_ms: int


class AccountSums(NamedTuple):
    """An account as it is kept."""

    account: str
    debits_micro: int
    credits_micro: int


class GrantTerms(NamedTuple):
    """What a grant promised."""

    grant_id: int
    kind: GrantKind
    credits_micro: int
    created_at_ms: int
    expires_at_ms: int | None

    @property
    def account(self) -> str:
        """The grant's own account."""
        return grant_account(self.grant_id)


class PeriodSums(NamedTuple):
    """A period as it is kept."""

    start_ms: int
    end_ms: int
    plan_micro: int
    opening_micro: int
    granted_micro: int
    expired_micro: int
    charged_micro: int
    corrected_micro: int


class DrawSums(NamedTuple):
    """What all leases together have drawn of a grant."""

    grant_id: int
    drawn_micro: int


class Ledger(NamedTuple):
    """A workspace's transfers and what is derived from them."""

    profile_id: int
    flows: Sequence[Flow]
    accounts: Sequence[AccountSums]
    grants: Sequence[GrantTerms]
    periods: Sequence[PeriodSums]
    draws: Sequence[DrawSums]


def check_transfers(ledger: Ledger) -> Iterator[Difference]:
    """Every transfer moves something, between accounts that its kind may join, in a period."""
    ends_ms = {period.start_ms: period.end_ms for period in ledger.periods}
    for flow in ledger.flows:
        where = _flow_text(flow)
        joined = (flow.kind, _sort(flow.debit_account), _sort(flow.credit_account))
        if joined not in _JOINS:
            yield Difference(
                "transfers", ledger.profile_id, where, "accounts that the kind joins", "others"
            )
        if flow.least_micro <= 0:
            found = f"{flow.least_micro}"
            yield Difference("transfers", ledger.profile_id, where, "amounts above 0", found)
        start_ms = flow.period_start_ms
        if start_ms is None or flow.last_ms >= ends_ms.get(start_ms, flow.last_ms):
            found = f"from {flow.first_ms} to {flow.last_ms}"
            yield Difference("transfers", ledger.profile_id, where, "times in a period", found)


def check_conservation(ledger: Ledger) -> Iterator[Difference]:
    """What accounts were debited, accounts were credited: no credit comes from nowhere."""
    debits = sum(account.debits_micro for account in ledger.accounts)
    credited = sum(account.credits_micro for account in ledger.accounts)
    if debits != credited:
        yield Difference(
            "conservation",
            ledger.profile_id,
            "all accounts",
            f"credits {debits}, as all debits",
            f"credits {credited}",
        )


def check_accounts(ledger: Ledger) -> Iterator[Difference]:
    """An account is the sum of its transfers."""
    expected = _account_sums(ledger.flows)
    found = {row.account: (row.debits_micro, row.credits_micro) for row in ledger.accounts}
    for account in sorted(expected.keys() | found.keys()):
        should, kept = expected.get(account), found.get(account)
        if should != kept:
            texts = [
                NOTHING if sums is None else f"debits_micro {sums[0]}, credits_micro {sums[1]}"
                for sums in (should, kept)
            ]
            yield Difference("accounts", ledger.profile_id, f"account {account}", *texts)


def check_grants(ledger: Ledger) -> Iterator[Difference]:
    """A grant is given once and whole, spent while it lives, and never below zero."""
    given: dict[str, list[Flow]] = defaultdict(list)
    taken: dict[str, list[Flow]] = defaultdict(list)
    for flow in ledger.flows:
        given[flow.credit_account].append(flow)
        taken[flow.debit_account].append(flow)
    known = {grant.account for grant in ledger.grants}
    for account in sorted({*given, *taken} - known):
        if account.startswith(_GRANT):
            yield Difference("grants", ledger.profile_id, account, "a grant", NOTHING)
    for grant in ledger.grants:
        problems = _grant_problems(grant, given[grant.account], taken[grant.account])
        for expected, found in problems:
            where = f"grant_id {grant.grant_id}"
            yield Difference("grants", ledger.profile_id, where, expected, found)


def check_overdraft(ledger: Ledger) -> Iterator[Difference]:
    """What is owed is never above zero, and never beside a grant with credits left."""
    balances = {
        account: credited - debits
        for account, (debits, credited) in _account_sums(ledger.flows).items()
    }
    owed = balances.get(OVERDRAFT, 0)
    if owed > 0:
        yield Difference(
            "overdraft", ledger.profile_id, "account overdraft", "0 or below", f"{owed}"
        )
    for account, left in sorted(balances.items()):
        if owed < 0 < left and account.startswith(_GRANT):
            yield Difference(
                "overdraft",
                ledger.profile_id,
                f"account {account}",
                "no credits left while the workspace owes",
                f"{left} left, {-owed} owed",
            )


def check_draws(ledger: Ledger) -> Iterator[Difference]:
    """What processes have drawn of grants, and may admit by, is what the ledger set apart."""
    balances = {
        account: credited - debits
        for account, (debits, credited) in _account_sums(ledger.flows).items()
        if account.startswith(_DRAWN)
    }
    drawn = {f"{_DRAWN}{draw.grant_id}": draw.drawn_micro for draw in ledger.draws}
    for account in sorted(balances.keys() | drawn.keys()):
        should, found = balances.get(account, 0), drawn.get(account, 0)
        if should != found:
            where = f"account {account}"
            yield Difference("draws", ledger.profile_id, where, f"{should}", f"{found}")


def check_periods(ledger: Ledger) -> Iterator[Difference]:
    """Periods follow each other without gap or overlap, and each closes where the next opens."""
    balance_micro = 0
    periods = sorted(ledger.periods)
    flows: dict[int | None, list[Flow]] = defaultdict(list)
    for flow in ledger.flows:
        flows[flow.period_start_ms].append(flow)
    for before, after in pairwise(periods):
        if before.end_ms != after.start_ms:
            where = f"period start_ms {before.start_ms}"
            yield Difference(
                "periods",
                ledger.profile_id,
                where,
                f"end_ms {after.start_ms}, where the next one starts",
                f"end_ms {before.end_ms}",
            )
    for period in periods:
        moved = _Moved.of(flows[period.start_ms])
        expected = {"opening_micro": balance_micro, **moved._asdict()}
        for column, should in expected.items():
            where = f"period start_ms {period.start_ms}: {column}"
            kept = getattr(period, column)
            if should != kept:
                yield Difference("periods", ledger.profile_id, where, f"{should}", f"{kept}")
        yield from _check_plan(ledger, period)
        balance_micro += moved.net_micro


# By the name of the check that their differences carry.
LEDGER_RULES: dict[str, Callable[[Ledger], Iterator[Difference]]] = {
    "transfers": check_transfers,
    "conservation": check_conservation,
    "accounts": check_accounts,
    "grants": check_grants,
    "overdraft": check_overdraft,
    "draws": check_draws,
    "periods": check_periods,
}

# The accounts that a kind of transfer may join: the drawing of `core.ledger`.
_JOINS: set[tuple[str, str, str]] = {
    ("grant", ISSUED, _GRANT),
    ("charge", _GRANT, SPENT),
    ("charge", OVERDRAFT, SPENT),
    ("history", HISTORY, SPENT),
    ("expiry", _GRANT, EXPIRED),
    ("repay", _GRANT, OVERDRAFT),
    ("draw", _GRANT, _DRAWN),
    ("return", _DRAWN, _GRANT),
    ("charge", _DRAWN, SPENT),
    ("expiry", _DRAWN, EXPIRED),
    ("correction", _GRANT, SPENT),
    ("correction", OVERDRAFT, SPENT),
    ("correction", SPENT, _GRANT),
}


class _Moved(NamedTuple):
    """What moved in a period; the names are the columns'."""

    granted_micro: int
    expired_micro: int
    charged_micro: int
    corrected_micro: int

    @classmethod
    def of(cls, flows: Iterable[Flow]) -> _Moved:
        sums: dict[str, int] = defaultdict(int)
        for flow in flows:
            gives_back = flow.kind == "correction" and flow.debit_account == SPENT
            sums[flow.kind] += -flow.amount_micro if gives_back else flow.amount_micro
        return cls(sums["grant"], sums["expiry"], sums["charge"], sums["correction"])

    @property
    def net_micro(self) -> int:
        return self.granted_micro - self.expired_micro - self.charged_micro - self.corrected_micro


def _check_plan(ledger: Ledger, period: PeriodSums) -> Iterator[Difference]:
    """What the plan has given in a period was granted in it; the provider may grant more."""
    granted = sum(
        grant.credits_micro
        for grant in ledger.grants
        if grant.kind == "plan" and period.start_ms <= grant.created_at_ms < period.end_ms
    )
    if period.plan_micro > granted:
        where = f"period start_ms {period.start_ms}: plan_micro"
        yield Difference(
            "periods",
            ledger.profile_id,
            where,
            f"at most {granted}, the grants of the plan",
            f"{period.plan_micro}",
        )


def _grant_problems(
    grant: GrantTerms, given: Sequence[Flow], taken: Sequence[Flow]
) -> Iterator[tuple[str, str]]:
    source = SPENT if grant.kind == "correction" else ISSUED
    expected = (source, 1, grant.credits_micro, grant.created_at_ms)
    gifts = [f for f in given if f.kind != "return"]
    found = [(f.debit_account, f.transfers, f.amount_micro, f.first_ms) for f in gifts]
    if found != [expected]:
        yield _gift_text([expected]), _gift_text(found)
    left_micro = sum(f.amount_micro for f in given) - sum(f.amount_micro for f in taken)
    if left_micro < 0:
        yield "at least 0 left", f"{left_micro}"
    end_ms = grant.expires_at_ms
    for flow in taken:
        if flow.first_ms < grant.created_at_ms or (end_ms is not None and flow.last_ms >= end_ms):
            life = f"from {grant.created_at_ms} to {end_ms}"
            yield f"spent {life}", f"{flow.kind} from {flow.first_ms} to {flow.last_ms}"
        if flow.kind == "expiry" and (
            end_ms is None or flow.first_ms != end_ms - 1 or flow.transfers != 1 or left_micro
        ):
            yield (
                f"one expiry of all that was left, 1 ms before {end_ms}",
                f"{flow.transfers} at {flow.first_ms}, {left_micro} left",
            )


def _account_sums(flows: Iterable[Flow]) -> dict[str, tuple[int, int]]:
    """(debits, credits) of each account.

    Not `core.ledger.account_sums`: an audit shares no arithmetic with what it audits.
    """
    sums: dict[str, tuple[int, int]] = {}
    for flow in flows:
        debits, credited = sums.get(flow.debit_account, (0, 0))
        sums[flow.debit_account] = (debits + flow.amount_micro, credited)
        debits, credited = sums.get(flow.credit_account, (0, 0))
        sums[flow.credit_account] = (debits, credited + flow.amount_micro)
    return sums


def _sort(account: str) -> str:
    return next((sort for sort in (_GRANT, _DRAWN) if account.startswith(sort)), account)


def _flow_text(flow: Flow) -> str:
    return (
        f"kind {flow.kind}, debit_account {flow.debit_account}, "
        f"credit_account {flow.credit_account}, period start_ms {flow.period_start_ms}"
    )


def _gift_text(gifts: Iterable[tuple[str, int, int, int]]) -> str:
    return (
        "; ".join(
            f"{transfers} transfer from {source}, credits_micro {micro}, at_ms {at_ms}"
            for source, transfers, micro, at_ms in gifts
        )
        or NOTHING
    )
