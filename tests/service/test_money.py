"""Credits against a naive model: grants, charges, corrections, plans and time in any order.

The model knows nothing of transfers and accounts: it keeps a list of what is left of each grant
and what is owed. Whatever happens, its balance, the statements and the ledger agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, to_iso_ms
from farebox.service.statement import read_statement
from tests.support.harness import START_MS, Harness
from tests.support.homes import ENGINE_DRAWN, Homes

MICRO = 1_000_000
PLANS = {"none": 0, "small": 40, "large": 100}
FOREVER_MS = 2**60


@dataclass
class Given:
    """A grant of the model."""

    order: tuple[int, int, int, int]
    ends_ms: int
    left: int


@dataclass
class Period:
    """A period of the model: its sums."""

    start_ms: int
    end_ms: int
    opening: int
    granted: int = 0
    expired: int = 0
    charged: int = 0
    corrected: int = 0

    def closing(self) -> int:
        return self.opening + self.granted - self.expired - self.charged - self.corrected


@dataclass
class Model:
    """Credits as a person would keep them on paper."""

    plan: str
    grants: list[Given] = field(default_factory=list)
    owed: int = 0
    next_plan: str | None = None
    given_by_plan: int = 0
    made: int = 0
    periods: list[Period] = field(default_factory=list)

    def balance(self) -> int:
        return sum(grant.left for grant in self.grants) - self.owed

    def open(self, now_ms: int) -> None:
        start, end = month_of(now_ms)
        if self.next_plan is not None:
            self.plan, self.next_plan = self.next_plan, None
        self.periods.append(Period(start, end, self.balance()))
        self.given_by_plan = PLANS[self.plan] * MICRO
        if self.given_by_plan:
            self.give(self.given_by_plan, start, end)

    def give(self, micro: int, at_ms: int, ends_ms: int, priority: int = 0) -> None:
        self.periods[-1].granted += micro
        self._add(micro, at_ms, ends_ms, priority)

    def take(self, micro: int) -> None:
        for grant in sorted(self.grants, key=lambda grant: grant.order):
            taken = min(grant.left, micro)
            grant.left -= taken
            micro -= taken
        self.owed += micro

    def charge(self, micro: int) -> None:
        self.periods[-1].charged += micro
        self.take(micro)

    def correct(self, micro: int, now_ms: int) -> None:
        self.periods[-1].corrected += micro
        if micro > 0:
            self.take(micro)
        else:
            self._add(-micro, now_ms, FOREVER_MS, 0)

    def move(self, plan: str, now_ms: int) -> None:
        if PLANS[plan] < PLANS[self.plan]:
            self.next_plan = plan
            return
        self.next_plan = None
        if plan != self.plan:
            self.plan = plan
            missing = PLANS[plan] * MICRO - self.given_by_plan
            if missing > 0:
                self.give(missing, now_ms, self.periods[-1].end_ms)
                self.given_by_plan += missing

    def pass_time(self, now_ms: int) -> None:
        while True:
            ends = [grant.ends_ms for grant in self.grants if grant.left]
            due_ms = min([self.periods[-1].end_ms, *ends])
            if due_ms > now_ms:
                return
            for grant in self.grants:
                if grant.ends_ms == due_ms:
                    self.periods[-1].expired += grant.left
                    grant.left = 0
            if due_ms == self.periods[-1].end_ms:
                self.open(due_ms)

    def _add(self, micro: int, at_ms: int, ends_ms: int, priority: int) -> None:
        self.made += 1
        paid = min(micro, self.owed)
        self.owed -= paid
        order = (ends_ms, -priority, at_ms, self.made)
        self.grants.append(Given(order, ends_ms, micro - paid))


def month_of(now_ms: int) -> tuple[int, int]:
    """The calendar month of an instant, in UTC."""
    start = datetime.fromtimestamp(now_ms // 1000, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    end = start.replace(year=year, month=month)
    return int(start.timestamp()) * 1000, int(end.timestamp()) * 1000


amounts = st.integers(1, 60 * MICRO)
STEPS = st.one_of(
    st.tuples(
        st.just("grant"),
        amounts,
        st.sampled_from([None, 1, 5, 26, 40]),
        st.sampled_from([0, 0, 1, -1]),
    ),
    st.tuples(st.just("charge"), st.lists(st.integers(0, 50 * MICRO), min_size=1, max_size=4)),
    st.tuples(
        st.just("correct"),
        amounts | amounts.map(lambda micro: -micro),
    ),
    st.tuples(st.just("plan"), st.sampled_from(sorted(PLANS))),
    st.tuples(st.just("wait"), st.integers(1, 45 * 24), st.booleans()),
)


class World:
    """The real thing and the model, side by side."""

    def __init__(self, harness: Harness, plan: str) -> None:
        self.harness = harness
        for slug, credits in PLANS.items():
            harness.call("plans.create", slug=slug, name=slug, credits_per_month=credits)
        self.profile_id = harness.workspace(plan=plan)
        self.key_id = harness.key(self.profile_id)
        self.model = Model(plan)
        self.model.open(harness.now_ms)
        row = harness.row(self.profile_id, self.key_id)
        harness.record([row])
        self.request_id = format_uuid(row.query_log_id)

    def step(self, step: tuple[object, ...]) -> None:
        harness, model = self.harness, self.model
        if step[0] != "wait":
            model.pass_time(harness.now_ms)
        match step:
            case ("grant", int(micro), days, int(priority)):
                ends_ms = harness.now_ms + days * MS_PER_DAY if isinstance(days, int) else None
                harness.call(
                    "grants.create",
                    profile_id=self.profile_id,
                    credits=text(micro),
                    kind="topup",
                    priority=priority,
                    expires_at=None if ends_ms is None else to_iso_ms(ends_ms),
                )
                model.give(micro, harness.now_ms, ends_ms or FOREVER_MS, priority)
            case ("charge", list(costs)):
                rows = [
                    harness.row(self.profile_id, self.key_id, credits_micro=cost) for cost in costs
                ]
                harness.record(rows)
                model.charge(sum(costs))
            case ("correct", int(micro)):
                harness.call(
                    "corrections.create",
                    profile_id=self.profile_id,
                    request_id=self.request_id,
                    credits=text(micro),
                    reason="why",
                )
                model.correct(micro, harness.now_ms)
            case ("plan", str(plan)):
                harness.call("workspaces.change", profile_id=self.profile_id, plan=plan)
                model.move(plan, harness.now_ms)
            case ("wait", int(hours), bool(is_noticed)):
                if is_noticed:
                    harness.advance(hours=hours)
                else:
                    harness.clock.advance(hours * MS_PER_HOUR)
            case _:
                raise AssertionError(step)

    def check(self) -> None:
        harness, model = self.harness, self.model
        harness.call("statement.open", profile_id=self.profile_id)
        model.pass_time(harness.now_ms)
        for period in model.periods:
            self._check_period(period)
        ((balance,),) = harness.select(
            "select sum(credits_micro - debits_micro) from accounts"
            " where account like 'grant:%' or account = 'overdraft'"
        )
        assert (balance or 0) == model.balance() == model.periods[-1].closing()
        assert harness.select("select count(*) from periods") == [(len(model.periods),)]

    def _check_period(self, period: Period) -> None:
        told = read_statement(
            self.harness.reader, self.profile_id, to_iso_ms(period.start_ms), self.harness.now_ms
        )
        sums = (
            told.opening_balance,
            told.granted,
            told.expired,
            told.charged,
            told.corrected,
            told.closing_balance,
        )
        assert tuple(int(value * MICRO) for value in sums) == (
            period.opening,
            period.granted,
            period.expired,
            period.charged,
            period.corrected,
            period.closing(),
        )
        assert told.period_end == to_iso_ms(period.end_ms)
        assert sum(line.credits for line in told.grants) == told.granted
        assert sum(line.credits for line in told.expiries) == told.expired
        assert sum(line.credits for line in told.charges) == told.charged
        assert sum(line.credits for line in told.corrections) == told.corrected
        ledger = dict(
            self.harness.select(
                "select kind, sum(case when kind = 'correction' and debit_account = 'spent'"
                " then -amount_micro else amount_micro end) from transfers"
                " where at_ms >= ? and at_ms < ? group by kind",
                period.start_ms,
                period.end_ms,
            )
        )
        assert ledger.get("grant", 0) == period.granted
        assert ledger.get("expiry", 0) == period.expired
        assert ledger.get("charge", 0) == period.charged
        assert ledger.get("correction", 0) == period.corrected


def text(micro: int) -> str:
    """Micro-credits as an exact number of credits."""
    sign, micro = ("-", -micro) if micro < 0 else ("", micro)
    return f"{sign}{micro // MICRO}.{micro % MICRO:06d}"


@given(
    engine=ENGINE_DRAWN,
    plan=st.sampled_from(sorted(PLANS)),
    steps=st.lists(STEPS, min_size=1, max_size=14),
)
@settings(max_examples=60)
def test_statements_ledger_and_a_naive_model_agree(
    homes: Homes, engine: str, plan: str, steps: list[tuple[object, ...]]
) -> None:
    with homes.one(engine) as home, Harness(home) as harness:
        world = World(harness, plan)
        for step in steps:
            world.step(step)
        world.check()


def test_the_model_notices_a_wrong_book(harness: Harness) -> None:
    world = World(harness, "small")
    world.step(("charge", [MICRO]))
    world.check()
    world.model.charge(1)
    try:
        world.check()
    except AssertionError:
        return
    message = "a wrong book went unseen"
    raise AssertionError(message)


def test_months_of_the_model_are_those_of_the_calendar() -> None:
    assert month_of(START_MS) == (1_777_593_600_000, 1_780_272_000_000)
