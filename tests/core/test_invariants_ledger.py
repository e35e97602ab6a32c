"""The ledger's invariants: the ledger holds them, and each thing that can be wrong breaks one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.invariants import Difference
from farebox.core.invariants_ledger import (
    LEDGER_RULES,
    AccountSums,
    DrawSums,
    Flow,
    GrantTerms,
    Ledger,
    PeriodSums,
)
from farebox.core.ledger import (
    HISTORY,
    ISSUED,
    SPENT,
    Grant,
    GrantKind,
    Purse,
    Transfer,
    TransferKind,
    charge,
    charge_drawn,
    draw,
    expire,
    give_back,
    issue,
)
from tests.core.strategies import thorough

PERIOD_MS = 100
PROFILE_ID = 3


class Timed(NamedTuple):
    """A transfer and its instant."""

    at_ms: int
    transfer: Transfer


class Story:
    """A workspace whose credits move by the rules of the ledger, from instant 0 on."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.purse = Purse((), 0)
        self.moved: list[Timed] = []
        self.grants: list[GrantTerms] = []

    def wait(self, milliseconds: int) -> None:
        """Let time pass; what expires on the way expires at its own end."""
        self.now_ms += milliseconds
        left = [g for g in self.purse.grants if g.left_micro]
        ends = {g.expires_at_ms for g in left if g.expires_at_ms is not None}
        for end_ms in sorted(end for end in ends if end <= self.now_ms):
            self.purse, transfers = expire(self.purse, end_ms)
            self._move(end_ms - 1, transfers)

    def charge(self, amount_micro: int, kind: TransferKind = "charge") -> None:
        """Spend."""
        self.purse, transfers = charge(self.purse, amount_micro, self.now_ms, kind)
        self._move(self.now_ms, transfers)

    def give(self, kind: GrantKind, amount_micro: int, lasts_ms: int | None) -> None:
        """Give a grant; a correction comes from what was spent."""
        end_ms = None if lasts_ms is None else self.now_ms + lasts_ms
        number = len(self.grants) + 1
        self.grants.append(GrantTerms(number, kind, amount_micro, self.now_ms, end_ms))
        grant = Grant(number, kind, 0, self.now_ms, end_ms, amount_micro)
        source = SPENT if kind == "correction" else ISSUED
        self.purse, transfers = issue(self.purse, grant, source)
        self._move(self.now_ms, transfers)

    def draw(self, amount_micro: int) -> None:
        """Set credits apart, as far as there are any."""
        amount_micro = min(amount_micro, self.purse.undrawn_micro(self.now_ms))
        if amount_micro:
            self.purse, transfers, _ = draw(self.purse, amount_micro, self.now_ms)
            self._move(self.now_ms, transfers)

    def use_drawn(self, amount_micro: int, *, is_charged: bool) -> None:
        """Charge what is drawn, or give it back: the same of every grant, as far as there is."""
        amounts = {
            g.grant_id: min(amount_micro, g.drawn_micro) for g in self.purse.grants if g.drawn_micro
        }
        if is_charged:
            self.purse, transfers = charge_drawn(self.purse, amounts)
        else:
            self.purse, transfers = give_back(self.purse, amounts, self.now_ms)
        self._move(self.now_ms, transfers)

    def bring_in(self, amount_micro: int) -> None:
        """Import requests of a former period."""
        self._move(self.now_ms, [Transfer("history", HISTORY, SPENT, amount_micro)])

    def ledger(self) -> Ledger:
        """The books as they stand, summed up by plain loops."""
        last_start_ms = self.now_ms // PERIOD_MS * PERIOD_MS
        starts = range(0, last_start_ms + 1, PERIOD_MS)
        return Ledger(
            PROFILE_ID,
            flows_of(self.moved),
            self._accounts(),
            tuple(self.grants),
            tuple(self._period(start_ms) for start_ms in starts),
            tuple(DrawSums(g.grant_id, g.drawn_micro) for g in self.purse.grants if g.drawn_micro),
        )

    def _move(self, at_ms: int, transfers: Iterable[Transfer]) -> None:
        self.moved += [Timed(at_ms, transfer) for transfer in transfers]

    def _accounts(self) -> tuple[AccountSums, ...]:
        names = {name for _, t in self.moved for name in (t.debit_account, t.credit_account)}
        return tuple(
            AccountSums(
                name,
                sum(t.amount_micro for _, t in self.moved if t.debit_account == name),
                sum(t.amount_micro for _, t in self.moved if t.credit_account == name),
            )
            for name in sorted(names)
        )

    def _period(self, start_ms: int) -> PeriodSums:
        end_ms = start_ms + PERIOD_MS
        inside = [t for at_ms, t in self.moved if start_ms <= at_ms < end_ms]

        def total(kind: TransferKind) -> int:
            return sum(t.amount_micro for t in inside if t.kind == kind)

        given_back = sum(
            t.amount_micro for t in inside if t.kind == "correction" and t.debit_account == SPENT
        )
        return PeriodSums(
            start_ms,
            end_ms,
            sum(
                g.credits_micro
                for g in self.grants
                if g.kind == "plan" and start_ms <= g.created_at_ms < end_ms
            ),
            balance_micro(t for at_ms, t in self.moved if at_ms < start_ms),
            total("grant"),
            total("expiry"),
            total("charge"),
            total("correction") - 2 * given_back,
        )


def balance_micro(transfers: Iterable[Transfer]) -> int:
    """What transfers add to the accounts that a workspace can spend from."""
    spendable = ("grant:", "drawn:", "overdraft")
    return sum(
        t.amount_micro * t.credit_account.startswith(spendable)
        - t.amount_micro * t.debit_account.startswith(spendable)
        for t in transfers
    )


def flows_of(moved: Iterable[Timed]) -> tuple[Flow, ...]:
    """Transfers summed by period, kind and accounts."""
    groups: dict[tuple[int, Transfer], list[Timed]] = defaultdict(list)
    for timed in moved:
        start_ms = timed.at_ms // PERIOD_MS * PERIOD_MS
        groups[start_ms, timed.transfer._replace(amount_micro=0)].append(timed)
    return tuple(
        Flow(
            start_ms,
            same.kind,
            same.debit_account,
            same.credit_account,
            len(group),
            sum(timed.transfer.amount_micro for timed in group),
            min(timed.transfer.amount_micro for timed in group),
            min(timed.at_ms for timed in group),
            max(timed.at_ms for timed in group),
        )
        for (start_ms, same), group in groups.items()
    )


def differences(ledger: Ledger) -> list[Difference]:
    return [difference for rule in LEDGER_RULES.values() for difference in rule(ledger)]


def checks(ledger: Ledger) -> set[str]:
    """The checks that a ledger breaks, each named as its rule is."""
    broken = set()
    for check, rule in LEDGER_RULES.items():
        found = list(rule(ledger))
        assert all(d.check == check and d.profile_id == PROFILE_ID for d in found)
        broken |= {d.check for d in found}
    return broken


amounts = st.integers(1, 40)
lives = st.none() | st.integers(1, 150)
steps = st.one_of(
    st.builds(lambda ms: lambda s: s.wait(ms), st.integers(1, 60)),
    st.builds(lambda a: lambda s: s.charge(a), amounts),
    st.builds(lambda a: lambda s: s.charge(a, "correction"), amounts),
    st.builds(lambda a: lambda s: s.draw(a), amounts),
    st.builds(
        lambda a, charged: lambda s: s.use_drawn(a, is_charged=charged), amounts, st.booleans()
    ),
    st.builds(lambda a: lambda s: s.bring_in(a), amounts),
    st.builds(
        lambda kind, a, life: lambda s: s.give(kind, a, life),
        st.sampled_from(("plan", "topup", "promotion")),
        amounts,
        lives,
    ),
    st.builds(lambda a: lambda s: s.give("correction", a, None), amounts),
)


@thorough
@given(st.lists(steps, max_size=25))
def test_whatever_the_ledger_does_holds_every_rule(
    happenings: list[Callable[[Story], None]],
) -> None:
    story = Story()
    for happen in happenings:
        happen(story)
    ledger = story.ledger()
    assert differences(ledger) == []
    # What is wrong once is seen, whatever else has happened.
    for number in range(len(ledger.accounts)):
        account = ledger.accounts[number]
        spoilt = account._replace(debits_micro=account.debits_micro + 1)
        assert checks(replaced(ledger, "accounts", number, spoilt)) == {
            "accounts",
            "conservation",
        }
    for number in range(len(ledger.grants)):
        grant = ledger.grants[number]
        spoilt_grant = grant._replace(credits_micro=grant.credits_micro - 1)
        assert "grants" in checks(replaced(ledger, "grants", number, spoilt_grant))
    for number in range(len(ledger.flows)):
        flow = ledger.flows[number]
        spoilt_flow = flow._replace(amount_micro=flow.amount_micro + 1)
        assert "accounts" in checks(replaced(ledger, "flows", number, spoilt_flow))


def replaced(ledger: Ledger, field: str, number: int, row: NamedTuple) -> Ledger:
    """The ledger with another row in the place of one."""
    rows = list(getattr(ledger, field))
    rows[number] = row
    return ledger._replace(**{field: tuple(rows)})  # type: ignore[arg-type] # any field


def without(ledger: Ledger, field: str, number: int) -> Ledger:
    """The ledger without one row."""
    rows = list(getattr(ledger, field))
    del rows[number]
    return ledger._replace(**{field: tuple(rows)})  # type: ignore[arg-type] # any field


@pytest.fixture
def ledger() -> Ledger:
    """Two periods: a plan, a topup that expires, an overdraft that is repaid, corrections."""
    story = Story()
    story.give("plan", 40, PERIOD_MS)  # grant 1
    story.give("topup", 10, 50)  # grant 2
    story.charge(3)
    story.wait(60)
    story.charge(47)
    story.give("correction", 9, None)  # grant 3
    story.wait(50)
    story.give("plan", 40, PERIOD_MS - 10)  # grant 4
    story.charge(5, "correction")
    story.bring_in(7)
    made = story.ledger()
    assert differences(made) == []
    return made


def flow_number(ledger: Ledger, kind: TransferKind, account: str = "") -> int:
    """The place of the first flow of a kind from an account."""
    return next(
        number
        for number, flow in enumerate(ledger.flows)
        if flow.kind == kind and account in {"", flow.debit_account, flow.credit_account}
    )


@pytest.mark.parametrize(
    ("kind", "account", "changes", "broken"),
    [
        ("charge", "", {"debit_account": "issued"}, {"transfers", "accounts"}),
        ("charge", "", {"kind": "repay"}, {"transfers", "periods"}),
        ("charge", "", {"least_micro": 0}, {"transfers"}),
        ("charge", "", {"last_ms": PERIOD_MS}, {"transfers", "grants"}),
        ("charge", "", {"first_ms": -1}, {"grants"}),
        ("history", "", {"period_start_ms": None}, {"transfers"}),
        ("history", "", {"period_start_ms": 12345}, {"transfers"}),
        ("expiry", "", {"first_ms": 7}, {"grants"}),
        ("expiry", "", {"transfers": 2}, {"grants"}),
        ("grant", "grant:4", {"transfers": 2}, {"grants"}),
        ("grant", "grant:4", {"first_ms": 0}, {"grants"}),
        ("grant", "grant:4", {"credit_account": "grant:9"}, {"grants", "accounts"}),
        ("correction", "grant:3", {"debit_account": "issued"}, {"transfers", "grants", "accounts"}),
    ],
)
def test_a_transfer_that_cannot_be_is_found(
    ledger: Ledger, kind: TransferKind, account: str, changes: dict[str, object], broken: set[str]
) -> None:
    number = flow_number(ledger, kind, account)
    spoilt = ledger.flows[number]._replace(**changes)  # type: ignore[arg-type] # a table of cases
    found = checks(replaced(ledger, "flows", number, spoilt))
    assert broken <= found


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"kind": "correction"}),
        (1, {"created_at_ms": 1}),
        (1, {"expires_at_ms": None}),
        (1, {"expires_at_ms": 51}),
        (0, {"expires_at_ms": 60}),
        (2, {"grant_id": 7}),
    ],
)
def test_a_grant_that_was_not_given_so_is_found(
    ledger: Ledger, number: int, changes: dict[str, object]
) -> None:
    spoilt = ledger.grants[number]._replace(**changes)  # type: ignore[arg-type] # a table of cases
    assert checks(replaced(ledger, "grants", number, spoilt)) >= {"grants"}


def test_what_is_drawn_without_being_set_apart_is_found() -> None:
    story = Story()
    story.give("topup", 10, None)
    story.draw(6)
    drawn = story.ledger()
    assert checks(drawn._replace(draws=())) == {"draws"}
    assert checks(drawn._replace(draws=(DrawSums(1, 5),))) == {"draws"}


def test_an_expiry_that_leaves_something_is_found(ledger: Ledger) -> None:
    number = flow_number(ledger, "expiry")
    spoilt = ledger.flows[number]._replace(amount_micro=1)
    assert "grants" in checks(replaced(ledger, "flows", number, spoilt))


def test_a_grant_below_zero_is_found(ledger: Ledger) -> None:
    number = flow_number(ledger, "charge", "grant:1")
    spoilt = ledger.flows[number]._replace(amount_micro=10**6)
    where = {
        (d.check, d.where): d.found for d in differences(replaced(ledger, "flows", number, spoilt))
    }
    assert where["grants", "grant_id 1"].startswith("-")


def test_an_account_that_is_missing_or_made_up_is_found(ledger: Ledger) -> None:
    (missing,) = LEDGER_RULES["accounts"](without(ledger, "accounts", 0))
    assert missing.found == "nothing"
    more = ledger._replace(accounts=(*ledger.accounts, AccountSums("gold", 1, 1)))
    (made_up,) = LEDGER_RULES["accounts"](more)
    assert (made_up.where, made_up.expected) == ("account gold", "nothing")


def test_owing_and_having_at_once_is_found(ledger: Ledger) -> None:
    number = flow_number(ledger, "repay")
    spoilt = without(ledger, "flows", number)
    found = {d.where: d.found for d in LEDGER_RULES["overdraft"](spoilt)}
    assert found["account grant:3"] == "9 left, 7 owed"


def test_an_overdraft_above_zero_is_found(ledger: Ledger) -> None:
    number = flow_number(ledger, "repay")
    spoilt = ledger.flows[number]._replace(amount_micro=1000)
    found = [d.where for d in LEDGER_RULES["overdraft"](replaced(ledger, "flows", number, spoilt))]
    assert found == ["account overdraft"]


@pytest.mark.parametrize("column", PeriodSums._fields)
def test_a_period_that_says_something_else_is_found(ledger: Ledger, column: str) -> None:
    first = ledger.periods[0]
    spoilt = first._replace(**{column: getattr(first, column) + 1})
    assert "periods" in checks(replaced(ledger, "periods", 0, spoilt))


def test_a_missing_period_is_found(ledger: Ledger) -> None:
    assert "transfers" in checks(without(ledger, "periods", 1))
    three = ledger.periods[1]._replace(start_ms=200, end_ms=300)
    assert "periods" in checks(ledger._replace(periods=(ledger.periods[0], three)))
