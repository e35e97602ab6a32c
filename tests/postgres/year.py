"""A year: a database with everything that a year leaves behind, and all that it reports.

Workspaces in zones whose clocks change, requests at any hour and some of them late, corrections,
grants that expire, a zone that was changed, revoked and rotated keys, captures, and refusals.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from farebox.api.customer_forms import breakdown_data, daily_data, profile_usage
from farebox.contract.wire import ENCODER
from farebox.core.calendar import day_of_quarter, quarter_of, zone_of
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, to_iso_ms
from farebox.core.request import Capture
from farebox.engine.directory import Directory
from farebox.service.date_range import DateRange
from farebox.service.logs import LogQuery, read_logs
from farebox.service.profile_usage import read_profile_usage
from farebox.service.statement import read_statement
from farebox.service.usage_breakdown import usage_breakdown
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader
from tests.support.harness import Harness

# 2025-09-20 12:00 UTC: the clocks of Berlin, New York and Santiago change twice within a year.
BEGIN_MS = 1_758_369_600_000
DAYS = 366
STEP_DAYS = 6
PER_STEP = 12
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago")
LOG_PAGES = (
    LogQuery(1, 100),
    LogQuery(2, 25, "duration_ms"),
    LogQuery(1, 50, search_term="search"),
)


class Customer(NamedTuple):
    """A workspace with its keys."""

    profile_id: int
    key_ids: tuple[str, ...]
    secrets: tuple[str, ...]


def live(folder: Path, seed: int) -> tuple[Harness, list[Customer]]:
    """A harness at the end of a year, and its workspaces."""
    harness = Harness(folder, seed=seed, now_ms=BEGIN_MS)
    chance = random.Random(seed)
    prices = {harness.log_type(slug, credits=n + 1): n + 1 for n, slug in enumerate("abc")}
    customers = [_customer(harness, zone) for zone in ZONES]
    for step in range(DAYS // STEP_DAYS):
        used = {c: _use(harness, chance, c, step, prices) for c in customers}
        customer = chance.choice(customers)
        _govern(harness, chance, customer, used[customer], step)
        harness.advance(days=STEP_DAYS)
    return harness, customers


def _customer(harness: Harness, zone: str) -> Customer:
    profile_id = harness.workspace(name=zone, timezone=zone, licences=3)
    made = [harness.call("keys.create", profile_id=profile_id) for _ in range(3)]
    return Customer(profile_id, tuple(key.key_id for key in made), tuple(key.key for key in made))


def _use(
    harness: Harness, chance: random.Random, customer: Customer, step: int, prices: dict[int, int]
) -> bytes:
    rows, captures = [], []
    for number in range(PER_STEP):
        log_type_id = chance.choice(list(prices))
        late_ms = chance.choice((0, 0, chance.randrange(3 * MS_PER_DAY)))
        row = harness.row(
            customer.profile_id,
            chance.choice(customer.key_ids),
            request_id=f"of-{step}-{number}",
            log_type_id=log_type_id,
            credits_micro=prices[log_type_id] * 1_000_000,
            time_ms=harness.now_ms - late_ms - chance.randrange(STEP_DAYS * 24) * MS_PER_HOUR // 24,
            duration_ms=chance.randrange(500),
            status_code=chance.choice((200, 200, 404, None)),
        )
        rows.append(row)
        if chance.random() < 0.2:
            captures.append(
                Capture(row.profile_id, row.query_log_id, "{}", '{"q": "ü\u4e2d"}', "a \\N\tb\n")
            )
    harness.record(rows, captures)
    return rows[0].query_log_id


def _govern(
    harness: Harness, chance: random.Random, customer: Customer, query_log_id: bytes, step: int
) -> None:
    profile_id = customer.profile_id
    expires_ms = harness.now_ms + chance.randrange(20, 60) * MS_PER_DAY
    expiring = {"expires_at": to_iso_ms(expires_ms)} if chance.random() < 0.5 else {}
    harness.call("grants.create", profile_id=profile_id, credits=50, kind="promotion", **expiring)
    harness.call(
        "corrections.create",
        profile_id=profile_id,
        request_id=str(UUID(bytes=query_log_id)),
        credits=0.5,
        reason="because",
    )
    if step == DAYS // STEP_DAYS // 2:
        harness.call("workspaces.change", profile_id=profile_id, timezone="Australia/Lord_Howe")


def reports(reader: Reader, customers: list[Customer], now_ms: int) -> dict[str, bytes]:
    """Every report of every workspace, as it would leave."""
    directory = Directory()
    directory.load(reader)
    told: dict[str, bytes] = {}
    for customer in customers:
        profile_id = customer.profile_id
        workspace = directory.workspaces[profile_id]
        today = day_of_quarter(quarter_of(now_ms), zone_of(workspace.timezone))
        days, nobody = DateRange(today - DAYS - 10, today + 1), UsageFilters()
        daily = usage_daily(reader, directory, profile_id, days, nobody, fill_gaps=True)
        breakdown, zone = usage_breakdown(reader, directory, profile_id, days, nobody)
        owner = directory.keys[customer.key_ids[0]].user_id
        usage = read_profile_usage(reader, directory, workspace, owner, now_ms)
        periods = [
            to_iso_ms(at_ms) for at_ms in range(BEGIN_MS + MS_PER_DAY, now_ms, 30 * MS_PER_DAY)
        ]
        structs: dict[str, msgspec.Struct] = {
            "daily": daily_data(daily),
            "breakdown": breakdown_data(breakdown, zone.zone),
            "usage": profile_usage(usage),
        }
        for period in periods:
            structs[f"statement {period}"] = read_statement(reader, profile_id, period, now_ms)
        for name, struct in structs.items():
            told[f"{profile_id} {name}"] = ENCODER.encode(struct)
        for number, query in enumerate(LOG_PAGES):
            page = read_logs(reader, directory, workspace, query, pages_max=10, budget_ms=60_000)
            told[f"{profile_id} log {number}"] = ENCODER.encode(page)
    return told
