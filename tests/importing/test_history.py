"""Requests from before the current period count in the reports and cost nothing of today's credits.

They are charged to the account `history`; what lies in the period is charged as usual.
"""

from __future__ import annotations

from farebox.core.instant import MS_PER_DAY
from farebox.service.credits_now import credits_now
from farebox.store.sqlite.database import open_reader
from tests.importing.shop import Counted, Shop, counted
from tests.importing.weblog import KEYED_COMBINED, line_at, now_ms

MICRO = 1_000_000
PRICE = 3 * MICRO


def test_requests_of_former_periods_are_charged_to_history(shop: Shop) -> None:
    at_ms = now_ms()
    former = [line_at(at_ms - days * MS_PER_DAY, shop.key) for days in (40, 70, 400)]
    log = shop.file("access.log", "\n".join([*former, line_at(at_ms, shop.key)]) + "\n")
    answer = shop.json(log, "--mapping", shop.file("m.toml", KEYED_COMBINED))
    assert counted(answer) == Counted(accepted=4)
    reader = open_reader(shop.path)
    state = credits_now(reader, shop.profile_id, now_ms())
    reader.close()
    assert state.period.charged_micro == PRICE
    ((left,),) = shop.select(
        "select sum(credits_micro - debits_micro) from accounts where account like 'grant:%'"
    )
    assert left == 1_000_000 * MICRO - PRICE
    assert shop.select("select kind, sum(amount_micro) from transfers group by kind") == [
        ("charge", PRICE),
        ("grant", 1_000_000 * MICRO),
        ("history", 3 * PRICE),
    ]
    # Reports go by the request's time: every day has its own.
    assert shop.select("select requests, credits_micro from days") == [(1, PRICE)] * 4
    shop.check(4)
