"""The ledger against a naive model that moves single units of credit, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.ledger import (
    EXPIRED,
    ISSUED,
    NEVER_MS,
    OVERDRAFT,
    SPENT,
    Grant,
    GrantKind,
    Moved,
    Purse,
    Transfer,
    TransferKind,
    account_sums,
    charge,
    expire,
    grant_account,
    issue,
    live,
    moved_by,
)
from tests.core.strategies import thorough

EMPTY = Purse((), 0)
NOW_MS = 1_000


class Charge(NamedTuple):
    amount: int
    kind: TransferKind


class Issue(NamedTuple):
    kind: GrantKind
    priority: int
    age_ms: int
    lasts_ms: int | None
    amount: int
    source: str


class Expire(NamedTuple):
    pass


class Wait(NamedTuple):
    ms: int


Step = Charge | Issue | Expire | Wait

charges = st.builds(Charge, st.integers(0, 12), st.sampled_from(("charge", "correction")))
issues = st.builds(
    Issue,
    st.sampled_from(("plan", "topup", "promotion")),
    st.integers(-1, 1),
    st.integers(0, 3),
    st.none() | st.integers(1, 8),
    st.integers(1, 12),
    st.just(ISSUED),
)
gifts_back = st.builds(
    Issue,
    st.just("correction"),
    st.just(0),
    st.just(0),
    st.none(),
    st.integers(1, 12),
    st.just(SPENT),
)
steps = st.lists(
    issues | charges | gifts_back | st.just(Expire()) | st.builds(Wait, st.integers(1, 5)),
    max_size=30,
)


class Units:
    """The model: each grant is a pile of single units, and the overdraft a count of those owed."""

    def __init__(self) -> None:
        self.piles: dict[int, Grant] = {}
        self.owed = 0
        self.spent = 0
        self.expired = 0

    def issue(self, grant: Grant, source: str) -> None:
        repaid = 0
        while self.owed and repaid < grant.left_micro:
            self.owed -= 1
            repaid += 1
        self.piles[grant.grant_id] = grant._replace(left_micro=grant.left_micro - repaid)
        if source == SPENT:
            self.spent -= grant.left_micro

    def charge(self, amount: int, now_ms: int) -> None:
        for _ in range(amount):
            self.spent += 1
            best = self.best(now_ms)
            if best is None:
                self.owed += 1
            else:
                self.piles[best.grant_id] = best._replace(left_micro=best.left_micro - 1)

    def best(self, now_ms: int) -> Grant | None:
        """The pile to take the next unit from: a round for each rule of the order."""
        usable = self.usable(now_ms)
        rules: tuple[Callable[[Grant], int], ...] = (
            lambda g: NEVER_MS if g.expires_at_ms is None else g.expires_at_ms,
            lambda g: -g.priority,
            lambda g: g.created_at_ms,
            lambda g: g.grant_id,
        )
        for rule in rules:
            best = min(map(rule, usable), default=0)
            usable = [g for g in usable if rule(g) == best]
        return usable[0] if usable else None

    def usable(self, now_ms: int) -> list[Grant]:
        return [
            g
            for g in self.piles.values()
            if g.left_micro and (g.expires_at_ms is None or now_ms < g.expires_at_ms)
        ]

    def expire(self, now_ms: int) -> None:
        for grant in list(self.piles.values()):
            if grant.expires_at_ms is not None and grant.expires_at_ms <= now_ms:
                self.expired += grant.left_micro
                del self.piles[grant.grant_id]


class Story:
    """Plays steps on the ledger and on the model, and keeps every transfer."""

    def __init__(self) -> None:
        self.purse = EMPTY
        self.units = Units()
        self.now_ms = NOW_MS
        self.transfers: list[Transfer] = []
        self.issued = 0
        self.grants = 0

    def play(self, step: Step) -> None:
        match step:
            case Charge():
                self.units.charge(step.amount, self.now_ms)
                self.keep(charge(self.purse, step.amount, self.now_ms, step.kind))
            case Issue():
                self.issue(step)
            case Expire():
                self.units.expire(self.now_ms)
                self.keep(expire(self.purse, self.now_ms))
            case Wait():
                self.now_ms += step.ms

    def issue(self, step: Issue) -> None:
        self.grants += 1
        grant = Grant(
            grant_id=self.grants,
            kind=step.kind,
            priority=step.priority,
            created_at_ms=self.now_ms - step.age_ms,
            expires_at_ms=None if step.lasts_ms is None else self.now_ms + step.lasts_ms,
            left_micro=step.amount,
        )
        self.units.issue(grant, step.source)
        self.issued += step.amount if step.source == ISSUED else 0
        self.keep(issue(self.purse, grant, step.source))

    def keep(self, moved: tuple[Purse, list[Transfer]]) -> None:
        self.purse, transfers = moved
        self.transfers += transfers


@given(steps)
@thorough
def test_the_purse_is_what_moving_single_units_makes_it(played: list[Step]) -> None:
    story = Story()
    for step in played:
        story.play(step)
        piles = {g for g in story.units.piles.values() if g.left_micro}
        assert set(story.purse.grants) == piles
        assert len(story.purse.grants) == len(piles)
        assert story.purse.owed_micro == story.units.owed
        usable = sum(g.left_micro for g in story.units.usable(story.now_ms))
        assert story.purse.balance_micro(story.now_ms) == usable - story.units.owed


@given(steps)
@thorough
def test_every_balance_is_the_sum_of_its_transfers(played: list[Step]) -> None:
    story = Story()
    for step in played:
        story.play(step)
    sums = account_sums(story.transfers)
    balances = {account: credited - debits for account, (debits, credited) in sums.items()}
    assert sum(balances.values()) == 0
    assert balances.pop(ISSUED, 0) == -story.issued
    assert balances.pop(SPENT, 0) == story.units.spent
    assert balances.pop(EXPIRED, 0) == story.units.expired
    assert balances.pop(OVERDRAFT, 0) == -story.purse.owed_micro
    left = {grant.account: grant.left_micro for grant in story.purse.grants}
    assert {account: balance for account, balance in balances.items() if balance} == left


@given(steps)
@thorough
def test_what_a_period_sums_up_is_what_the_purse_has_gained(played: list[Step]) -> None:
    story = Story()
    for step in played:
        story.play(step)
    moved = moved_by(story.transfers)
    assert moved.net_micro == story.purse.book_micro
    assert (moved.granted_micro, moved.expired_micro) == (story.issued, story.units.expired)
    assert moved.charged_micro + moved.corrected_micro == story.units.spent


def test_what_only_moves_between_accounts_is_in_no_sum_of_a_period() -> None:
    kinds: tuple[TransferKind, ...] = ("draw", "return", "repay", "history")
    moved = moved_by(Transfer(kind, "a", "b", 5) for kind in kinds)
    assert moved == Moved(0, 0, 0, 0)


@given(steps)
@thorough
def test_every_movement_is_above_zero_and_between_two_accounts(played: list[Step]) -> None:
    story = Story()
    for step in played:
        before = len(story.transfers)
        story.play(step)
        moved = story.transfers[before:]
        assert all(t.amount_micro > 0 for t in moved)
        assert all(t.debit_account != t.credit_account for t in moved)
        match step:
            case Charge(amount, kind):
                assert {t.kind for t in moved} <= {kind}
                assert sum(t.amount_micro for t in moved) == amount
            case Issue(source=source):
                first = "grant" if source == ISSUED else "correction"
                assert [t.kind for t in moved] in ([first], [first, "repay"])
            case Expire():
                assert {t.kind for t in moved} <= {"expiry"}
            case Wait():
                assert not moved


def grant(grant_id: int, *, left: int = 10, priority: int = 0, ends: int | None = None) -> Grant:
    return Grant(grant_id, "topup", priority, 0, ends, left)


def test_what_expires_first_is_spent_first_then_priority_then_age() -> None:
    older = grant(9)._replace(created_at_ms=-1)
    ordered = [
        grant(5, priority=-1, ends=NOW_MS + 1),
        grant(4, ends=NOW_MS + 2),
        grant(3, priority=2),
        older,
        grant(1),
        grant(2),
    ]
    assert live(reversed(ordered), NOW_MS) == ordered


def test_a_charge_beyond_the_grants_goes_below_zero_and_the_next_grant_pays_first() -> None:
    purse, _ = issue(EMPTY, grant(1))
    purse, transfers = charge(purse, 14, NOW_MS)
    assert transfers == [
        Transfer("charge", "grant:1", SPENT, 10),
        Transfer("charge", OVERDRAFT, SPENT, 4),
    ]
    assert purse == Purse((), 4)
    assert purse.balance_micro(NOW_MS) == -4
    purse, transfers = issue(purse, grant(2))
    assert transfers == [
        Transfer("grant", ISSUED, "grant:2", 10),
        Transfer("repay", "grant:2", OVERDRAFT, 4),
    ]
    assert purse == Purse((grant(2, left=6),), 0)


def test_a_grant_that_only_pays_the_overdraft_leaves_nothing() -> None:
    purse, transfers = issue(Purse((), 10), grant(1))
    assert purse == EMPTY
    assert transfers[1] == Transfer("repay", "grant:1", OVERDRAFT, 10)


def test_nothing_is_spent_from_a_grant_past_its_end_even_before_it_is_expired() -> None:
    purse = Purse((grant(1, ends=NOW_MS),), 0)
    purse, transfers = charge(purse, 1, NOW_MS)
    assert transfers == [Transfer("charge", OVERDRAFT, SPENT, 1)]
    assert expire(purse, NOW_MS) == (Purse((), 1), [Transfer("expiry", "grant:1", EXPIRED, 10)])


def test_a_grant_ends_at_its_instant_and_not_before() -> None:
    purse = Purse((grant(1, ends=NOW_MS + 1),), 0)
    assert expire(purse, NOW_MS) == (purse, [])
    assert charge(purse, 10, NOW_MS)[0] == EMPTY


def test_a_correction_that_gives_back_comes_from_what_was_spent() -> None:
    _, transfers = issue(EMPTY, grant(3, left=5), SPENT)
    assert transfers == [Transfer("correction", SPENT, grant_account(3), 5)]


def test_a_charge_of_nothing_moves_nothing() -> None:
    purse = Purse((grant(1),), 0)
    assert charge(purse, 0, NOW_MS) == (purse, [])


def test_amounts_of_the_wrong_sign_are_a_fault_of_the_caller() -> None:
    with pytest.raises(AssertionError):
        charge(EMPTY, -1, NOW_MS)
    with pytest.raises(AssertionError):
        issue(EMPTY, grant(1, left=0))
