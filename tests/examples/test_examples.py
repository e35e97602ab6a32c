"""The examples, each with its real server: what is admitted, refused, charged and read back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.examples.example import (
    EXAMPLES,
    REDEEM,
    Buyer,
    Example,
    SetUp,
    readme_commands,
    set_up,
)
from tests.support.recorders import until

NAMES = ("fastapi_app", "flask_app", "django_app")
CALLERS, EACH, LIMIT = 64, 3, 100


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    return set_up(NAMES[0], tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module", params=NAMES)
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, made: SetUp
) -> Iterator[Example]:
    with Example(request.param, tmp_path_factory.mktemp(request.param), made) as running:
        yield running
    assert "Traceback" not in running.errors()


def test_its_readme_has_three_commands(example: Example, made: SetUp) -> None:
    # Told by what was run already: the second has made the database, the third serves.
    assert (made.folder / example.database.name).is_file()
    assert {path.name for path in EXAMPLES.iterdir()} == {*NAMES, "fleet", "set_up.sh"}
    for name in NAMES:
        install, sets_up, serve = readme_commands(name)
        assert install.startswith("pip install ../.. ")
        assert sets_up == "sh ../set_up.sh"
        assert serve.split()[0] in install


def test_calls_are_charged_by_their_answers_and_read_back_by_the_customer(
    example: Example,
) -> None:
    buyer = example.first
    for _ in range(4):
        answer = example.search(buyer)
        assert answer.status_code == 200
        assert answer.json()["people"] == ["p1", "p2", "p3"]
        assert '"hour";q=100;w=3600' in answer.headers["ratelimit-policy"]
    for person, status in (("p1", 200), ("p2", 200), ("p3", 200), ("p4", 404)):
        answer = example.post(REDEEM, buyer, {"person": person})
        assert answer.status_code == status
        assert "farebox-credits" not in answer.headers
        if status == 200:
            assert answer.json()["for"].startswith("key_")
    assert httpx.get(f"{example.url}/health").json() == {"ok": True}
    # 30 for two things that are known of a person, 15 for one, nothing for none and for a failure.
    expected = {"people_search": (4, 12), "people_redeem": (4, 45)}
    until(lambda: example.usage(buyer).items() >= expected.items(), seconds_max=20)
    quotas = httpx.get(f"{example.url}/farebox/v1/quotas", headers={"x-api-key": buyer.key}).json()
    assert (quotas["credits_used"], quotas["credits_left"]) == (57, 943)


def test_refusals_are_told_and_counted_to_the_call(example: Example) -> None:
    rich, poor = example.buyer(), example.buyer(credits_per_month=7)
    limited = example.buyer(limits={"api": {"day": 5}})
    barred = example.buyer(is_api_access_available=False)
    unknown = Buyer(0, "fbx_" + "x" * 38)
    statuses: Counter[tuple[str, int]] = Counter()
    for name, buyer in (
        ("none", None),
        ("unknown", unknown),
        ("poor", poor),
        ("limited", limited),
        ("barred", barred),
    ):
        for _ in range(9):
            answer = example.search(buyer)
            statuses[name, answer.status_code] += 1
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                assert set(answer.json()) == {"error"}
            elif answer.status_code != 200:
                assert set(answer.json()) == {"code", "message", "details"}
    for _ in range(9):
        statuses["unmapped", example.post("/people/export", rich, {}).status_code] += 1
    assert statuses == {
        ("none", 401): 9,
        ("unknown", 401): 9,
        ("poor", 200): 2,
        ("poor", 402): 7,
        ("limited", 200): 5,
        ("limited", 429): 4,
        ("barred", 403): 9,
        ("unmapped", 403): 9,
    }
    # The last of them first: when it is counted, so are the others.
    refused(example, rich, {"unmapped": 9})
    refused(example, limited, {"day": 4})
    refused(example, poor, {"credits": 7})
    assert example.usage(poor)["people_search"] == (2, 6)


def refused(example: Example, buyer: Buyer, expected: dict[str, int]) -> None:
    """How many calls of a buyer were refused, by reason."""

    def reasons() -> dict[str, int]:
        counts = example.farebox("refusals", "counts", str(buyer.profile_id))
        return {reason["denied_by"]: reason["refusals"] for reason in counts["reasons"]}

    until(lambda: reasons() == expected)


@pytest.mark.parametrize(
    ("plan", "status"),
    [({"limits": {"api": {"month": LIMIT}}}, 429), ({"credits_per_month": 3 * LIMIT}, 402)],
)
def test_64_callers_at_once_are_admitted_exactly_to_the_limit(
    example: Example, plan: dict[str, object], status: int
) -> None:
    buyer = example.buyer(**plan)
    together = threading.Barrier(CALLERS)

    def caller(_: int) -> list[int]:
        together.wait()
        return [example.search(buyer).status_code for _ in range(EACH)]

    with ThreadPoolExecutor(CALLERS) as pool:
        statuses = Counter(one for each in pool.map(caller, range(CALLERS)) for one in each)
    assert statuses == {200: LIMIT, status: CALLERS * EACH - LIMIT}
    until(lambda: example.usage(buyer).get("people_search") == (LIMIT, 3 * LIMIT), seconds_max=20)


def test_the_books_agree(example: Example) -> None:
    example.run("farebox", "audit")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_answered_before_a_kill_is_recorded_and_no_limit_is_passed(
    tmp_path: Path, made: SetUp, name: str
) -> None:
    example = Example(name, tmp_path, made, {"FAREBOX_MIDDLEWARE_WAIT": "on"})
    buyer = example.buyer(limits={"api": {"month": 40}})
    answered = 0
    try:
        for round_ in range(2):
            example.start()
            statuses = example.calls_until_killed(buyer, callers=4, enough=5)
            answered += statuses.count(200)
            assert set(statuses) <= {200, 429}, (round_, statuses)
        example.start()
        recorded, credits = example.usage(buyer)["people_search"]
        # What was under way when it was killed may be recorded, though nobody was told.
        assert answered <= recorded <= 40
        assert credits == 3 * recorded
        example.run("farebox", "audit")
    finally:
        example.stop()


@pytest.mark.parametrize("name", NAMES[1:])
def test_workers_that_are_forked_from_a_loaded_app_pass_no_limit_together(
    tmp_path: Path, made: SetUp, name: str
) -> None:
    settings = {"GUNICORN_CMD_ARGS": "--workers 3 --preload"}
    with Example(name, tmp_path, made, settings) as example:
        buyer = example.buyer(limits={"api": {"month": LIMIT}})

        def caller(_: int) -> list[int]:
            return [example.search(buyer).status_code for _ in range(10)]

        with ThreadPoolExecutor(16) as pool:
            statuses = Counter(one for each in pool.map(caller, range(16)) for one in each)
        assert set(statuses) == {200, 429}
        # What one worker has drawn and not used, another one can't admit by.
        assert 0.8 * LIMIT <= statuses[200] <= LIMIT
        expected = (statuses[200], 3 * statuses[200])
        until(lambda: example.usage(buyer).get("people_search") == expected, seconds_max=20)
        example.run("farebox", "audit")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_answered_is_recorded_when_the_server_is_stopped(
    tmp_path: Path, made: SetUp, name: str
) -> None:
    example = Example(name, tmp_path, made)
    with example:
        for _ in range(7):
            assert example.search(example.first).status_code == 200
    with example:
        assert example.usage(example.first)["people_search"] == (7, 21)
