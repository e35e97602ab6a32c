"""The log: filters, orders and pages equal plain Python over all requests; time is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farebox.core.calendar import parse_day
from farebox.core.request import MeteredRequest
from farebox.service import logs
from farebox.service.logs import LogPage, LogQuery, OrderBy, read_logs
from farebox.service.usage_filters import UsageFilters
from tests.support.harness import START_MS, Harness
from tests.support.homes import ENGINE_DRAWN, ENGINES, Home, Homes

PAGES_MAX = 250
ORDERS: tuple[OrderBy, ...] = (
    "created_at",
    "duration_ms",
    "credits",
    "status_code",
    "response_size",
)
PATHS = ("/people/search", "/People/Redeem", "/100%", "/a_b", "/a\\b", None)


class Scene(NamedTuple):
    """A workspace with a log, among others."""

    harness: Harness
    profile_id: int
    key_ids: list[str]
    rows: list[MeteredRequest]


@pytest.fixture(scope="module")
def scenes(homes: Homes) -> Iterator[Callable[[str], Scene]]:
    """One scene of each engine for all tests."""
    with ExitStack() as stack:

        @cache
        def scene_of(engine: str) -> Scene:
            return populated(stack.enter_context(Harness(homes.new(engine))))

        yield scene_of


@pytest.fixture(params=ENGINES)
def scene(request: pytest.FixtureRequest, scenes: Callable[[str], Scene]) -> Scene:
    return scenes(request.param)


def populated(harness: Harness) -> Scene:
    log_types = [0, harness.log_type("people_search"), harness.log_type("people_redeem")]
    profile_id, other = harness.workspace(timezone="Asia/Kathmandu"), harness.workspace()
    keys = [harness.key(profile_id, key=f"{c}-secret-of-{c}{c}z") for c in "abc"]
    harness.record([harness.row(other, harness.key(other)) for _ in range(40)])
    rows = [
        harness.row(
            profile_id,
            keys[n % 3],
            log_type_id=log_types[n % 7 % 3],
            credits_micro=n % 5 * 500_000,
            # Some at the same millisecond.
            time_ms=START_MS - n // 2 * 3_600_000,
            method=("GET", "POST", None)[n % 3],
            path=PATHS[n % len(PATHS)],
            status_code=(200, 404, 500, None)[n % 4],
            duration_ms=None if n % 11 == 0 else n * 37 % 100,
            response_size=None if n % 13 == 0 else n * 101 % 5000,
            ip=("192.0.2.7", "2001:db8::7", None)[n % 3],
        )
        for n in range(120)
    ]
    harness.record(rows)
    return Scene(harness, profile_id, keys, rows)


def read(scene: Scene, query: LogQuery, **more: Any) -> LogPage:  # noqa: ANN401 - as `read_logs`
    harness = scene.harness
    given = {"pages_max": PAGES_MAX, "budget_ms": 60_000, **more}
    workspace = harness.directory.workspaces[scene.profile_id]
    return read_logs(harness.reader, harness.directory, workspace, query, **given)


def matches(scene: Scene, query: LogQuery, row: MeteredRequest) -> bool:
    term = query.search_term.lower()
    mask = scene.harness.directory.keys[row.key_id].masked_authentication
    first, end = query.days
    day = parse_day(datetime.fromtimestamp(row.time_ms / 1000 + 20_700, UTC).strftime("%Y-%m-%d"))
    return (
        query.filters.takes_key(row.key_id)
        and (query.filters.log_type_ids is None or row.log_type_id in query.filters.log_type_ids)
        and (query.status_codes is None or row.status_code in query.status_codes)
        and (query.methods is None or row.method in query.methods)
        and any(term in (text or "").lower() for text in (row.path, row.ip, mask))
        and (first is None or day >= first)
        and (end is None or day < end)
    )


def expected(scene: Scene, query: LogQuery) -> list[str]:
    """The ids of all matches, in order."""

    def rank(row: MeteredRequest) -> tuple[int, int, int]:
        newest_first = -int.from_bytes(row.query_log_id, "big")
        if query.order_by == "created_at":
            return (0, 0, -newest_first if query.is_ascending_order else newest_first)
        names: dict[str, str] = {"credits": "credits_micro"}
        value = getattr(row, names.get(query.order_by, query.order_by))
        sign = 1 if query.is_ascending_order else -1
        return (-sign, 0, newest_first) if value is None else (0, sign * value, newest_first)

    found = [row for row in scene.rows if matches(scene, query, row)]
    return [row.query_log_id.hex() for row in sorted(found, key=rank)]


_optional_day = st.one_of(st.none(), st.integers(0, 4))


@st.composite
def queries(draw: st.DrawFn) -> LogQuery:
    first, last = draw(_optional_day), draw(_optional_day)
    newest = parse_day("2026-05-05")
    return LogQuery(
        page=draw(st.integers(1, 8)),
        per_page=draw(st.sampled_from((1, 3, 10, 100))),
        order_by=draw(st.sampled_from(ORDERS)),
        is_ascending_order=draw(st.booleans()),
        filters=UsageFilters(
            draw(st.one_of(st.none(), st.just(frozenset({"nobody's"})), st.just(frozenset("012")))),
            draw(st.one_of(st.none(), st.frozensets(st.integers(0, 3)))),
        ),
        search_term=draw(st.sampled_from(("", "", "people", "%", "_", "\\", "192.0", "bBz", "•"))),
        status_codes=draw(st.one_of(st.none(), st.just((200, 404)), st.just((418,)))),
        methods=draw(st.one_of(st.none(), st.just(("GET",)))),
        days=(
            None if first is None else newest - first,
            None if last is None else newest - last + 1,
        ),
    )


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(engine=ENGINE_DRAWN, query=queries(), rows_per_part=st.sampled_from((1, 7, 50, 20_000)))
def test_a_page_is_what_plain_python_finds(
    scenes: Callable[[str], Scene], engine: str, query: LogQuery, rows_per_part: int
) -> None:
    scene = scenes(engine)
    if query.filters.key_ids and "0" in query.filters.key_ids:
        chosen = UsageFilters(frozenset(scene.key_ids[:2]), query.filters.log_type_ids)
        query = query._replace(filters=chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "ROWS_PER_PART", rows_per_part)
        page = read(scene, query)
    found = expected(scene, query)
    start = (query.page - 1) * query.per_page
    assert [row.query_log_id for row in page.rows] == found[start : start + query.per_page]
    assert (page.total_entries, page.is_timeout) == (len(found), False)


def test_a_row_holds_what_was_recorded(scene: Scene) -> None:
    (found,) = read(scene, LogQuery(page=1, per_page=1)).rows
    row = max(scene.rows, key=lambda row: row.query_log_id)
    user = scene.harness.directory.users[scene.harness.directory.keys[row.key_id].user_id]
    assert found.query_log_id == row.query_log_id.hex()
    assert (found.time_ms, found.method, found.path) == (row.time_ms, row.method, row.path)
    assert (found.user_id, found.email) == (user.user_id, user.email)
    assert found.credits_micro == row.credits_micro


def test_pages_past_the_last_that_is_shown_are_empty_but_counted(scene: Scene) -> None:
    shown = read(scene, LogQuery(page=2, per_page=10), pages_max=2)
    hidden = read(scene, LogQuery(page=3, per_page=10), pages_max=2)
    assert (len(shown.rows), len(hidden.rows)) == (10, 0)
    assert shown.total_entries == hidden.total_entries == 120


@pytest.mark.parametrize("order_by", ORDERS)
def test_past_its_budget_a_query_gives_what_it_found_and_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, order_by: OrderBy
) -> None:
    monkeypatch.setattr(logs, "ROWS_PER_PART", 10)
    seconds = count()
    page = read(
        scene,
        LogQuery(page=1, per_page=5, order_by=order_by),
        budget_ms=2_500,
        monotonic=lambda: float(next(seconds)),
    )
    assert page.is_timeout
    assert page.total_entries == 30  # three parts, then time was over
    assert len(page.rows) == 5


def test_a_budget_that_ends_with_the_last_part_is_kept(scene: Scene) -> None:
    seconds = count()
    page = read(
        scene, LogQuery(page=1, per_page=5), budget_ms=0, monotonic=lambda: float(next(seconds))
    )
    assert (page.total_entries, page.is_timeout) == (120, False)


def test_of_letters_those_of_ascii_alone_have_a_case(home: Home) -> None:
    with Harness(home) as harness:
        profile_id = harness.workspace()
        harness.record([harness.row(profile_id, harness.key(profile_id), path="/Zürich/Ä")])
        scene = Scene(harness, profile_id, [], [])
        found = {
            term: read(scene, LogQuery(page=1, per_page=5, search_term=term)).total_entries
            for term in ("zür", "ZüR", "/Ä", "/ä", "zÜr")
        }
    assert found == {"zür": 1, "ZüR": 1, "/Ä": 1, "/ä": 0, "zÜr": 0}


@pytest.mark.parametrize("asked", [{"search_term": "a\0b"}, {"methods": ("GET", "\0")}])
def test_a_nul_finds_nothing_in_any_engine(scene: Scene, asked: dict[str, Any]) -> None:
    workspace = scene.harness.directory.workspaces[scene.profile_id]
    found = read_logs(
        scene.harness.reader,
        scene.harness.directory,
        workspace,
        LogQuery(1, 25, **asked),
        pages_max=PAGES_MAX,
        budget_ms=60_000,
    )
    assert found == LogPage([], 0, is_timeout=False)
