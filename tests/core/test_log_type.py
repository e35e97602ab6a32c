"""Log types: the price of a moment, and the template that finds them, against brute force."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from farebox.core.log_type import (
    FOUND_MAX,
    SLUG,
    LogType,
    PathTable,
    Price,
    check_template,
    price_at,
    split_path,
    template_shape,
)
from tests.core.strategies import quick, thorough

prices = st.lists(
    st.builds(Price, st.integers(0, 20), st.integers(0, 9), st.integers(0, 9)),
    max_size=5,
    unique_by=lambda price: price.valid_from_ms,
)
words = st.sampled_from(("a", "b", "{}", "id", "*rest"))
template_segments = st.lists(st.sampled_from(("a", "b", "id", "{x}", "{y}")), max_size=4)
templates = st.builds(
    lambda segments, rest: "/" + "/".join([*segments, *rest]),
    template_segments,
    st.sampled_from(([], ["*"])),
)
methods = st.sampled_from((None, "GET", "POST"))
paths = st.lists(words, max_size=6).map(lambda segments: "/" + "/".join(segments))


def log_type(log_type_id: int, method: str | None, path: str | None) -> LogType:
    return LogType(log_type_id, f"type_{log_type_id}", "Type", method, path, ())


@given(prices, st.integers(-5, 25))
@thorough
def test_the_price_of_a_moment_is_the_latest_that_began(found: list[Price], ms: int) -> None:
    expected = None
    for price in sorted(found):
        if expected is None or price.valid_from_ms <= ms:
            expected = price
    assert price_at(found, ms) == expected


def test_a_request_from_before_the_first_price_is_not_free() -> None:
    assert price_at([Price(100, 3, 5), Price(50, 2, 4)], 10) == Price(50, 2, 4)


@given(st.lists(st.tuples(methods, templates), max_size=12), st.sampled_from(("GET", "PUT")), paths)
@thorough
def test_the_most_exact_template_wins(
    registered: list[tuple[str | None, str]], method: str, path: str
) -> None:
    untied = {(m, template_shape(t)): (m, t) for m, t in registered}
    log_types = [log_type(n, m, t) for n, (m, t) in enumerate(untied.values(), start=1)]
    assert PathTable(log_types).find(method, path) == brute_force(log_types, method, path)


def brute_force(log_types: list[LogType], method: str, path: str) -> int | None:
    """The best of all templates that match, each judged by itself."""
    ranked = []
    for candidate in log_types:
        assert candidate.path is not None
        exactness = match(candidate.path.split("/"), path.split("/"))
        if exactness is not None and candidate.method in (method, None):
            ranked.append((exactness, candidate.method is None, candidate.log_type_id))
    return min(ranked)[2] if ranked else None


def match(template: list[str], path: list[str]) -> list[int] | None:
    """How exact each step of a match is (literal 0, any one 1, rest 2), or None without one."""
    exactness: list[int] = []
    path = [segment for segment in path if segment]
    for index, step in enumerate(step for step in template if step):
        if step == "*":
            return [*exactness, 2]
        if index >= len(path) or (step != path[index] and not step.startswith("{")):
            return None
        exactness.append(int(step.startswith("{")))
    return exactness if len(exactness) == len(path) else None


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/people/search", 1),
        ("get", "/people/search?page=2", 1),
        ("GET", "/people/search/", 1),
        ("GET", "//people//search#top", 1),
        ("GET", "/people/77", 2),
        ("DELETE", "/people/77", 3),
        ("GET", "/people/77/notes", 4),
        ("GET", "/files", 5),
        ("GET", "/files/a/b/c", 5),
        ("GET", "/files/" + "a/" * 500, 5),
        ("GET", "/", None),
        ("GET", "/people", None),
        ("POST", "/people/search", 3),
        ("GET", "/People/search", None),
        ("GET", "/people/77/notes/1", None),
    ],
)
def test_a_request_finds_its_log_type(method: str, path: str, found: int | None) -> None:
    table = PathTable(
        [
            log_type(1, "GET", "/people/search"),
            log_type(2, "GET", "/people/{id}"),
            log_type(3, None, "/people/{id}"),
            log_type(4, "GET", "/people/{id}/notes"),
            log_type(5, None, "/files/*"),
            log_type(6, None, None),
        ]
    )
    assert table.find(method, path) == found


def test_a_path_named_for_any_method_beats_a_catch_all_of_one() -> None:
    table = PathTable([log_type(1, "GET", "/*"), log_type(2, None, "/people")])
    assert table.find("GET", "/people") == 2
    assert table.find("GET", "/other") == 1
    assert table.find("PUT", "/other") is None


def test_the_order_of_registration_changes_nothing() -> None:
    log_types = [
        log_type(1, None, "/a/{x}"),
        log_type(2, None, "/{x}/b"),
        log_type(3, None, "/a/*"),
        log_type(4, "GET", "/{x}/{y}"),
    ]
    for ordered in permutations(log_types):
        table = PathTable(ordered)
        assert [table.find("GET", p) for p in ("/a/b", "/c/b", "/a/b/c", "/c/d")] == [1, 2, 3, 4]


@given(templates, templates)
@thorough
def test_templates_tie_when_they_match_the_same_paths_as_exactly(one: str, other: str) -> None:
    same = split_path(one.replace("{x}", "{y}")) == split_path(other.replace("{x}", "{y}"))
    assert (template_shape(one) == template_shape(other)) == same


@given(templates)
@quick
def test_a_template_in_its_one_form_stays_as_it_is(template: str) -> None:
    assert check_template(template) == template


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("/", "/"),
        ("/people/", "/people"),
        ("//people///search", "/people/search"),
        ("/people?page=1", "/people"),
        ("/people#top", "/people"),
        ("/people/{person_id}", "/people/{person_id}"),
        ("/*", "/*"),
        ("/" + "a/" * 32, "/" + "/".join("a" * 32)),
        ("/" + "a" * 511, "/" + "a" * 511),
    ],
)
def test_a_template_is_brought_into_its_one_form(path: str, checked: str) -> None:
    assert check_template(path) == checked


@pytest.mark.parametrize(
    "path",
    [
        "",
        "people",
        "*",
        "/*/people",
        "/people*",
        "/people/**",
        "/{}",
        "/{1st}",
        "/{id",
        "/id}",
        "/{id}.json",
        "/{a}{b}",
        "/{per son}",
        "/" + "a/" * 33,
        "/" + "a" * 512,
    ],
)
def test_what_is_no_template_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="a path that begins with '/'"):
        check_template(path)


@given(st.text("ab_.-A9 ", max_size=70))
@thorough
def test_a_slug_is_a_short_lower_case_word(text: str) -> None:
    assume(text)
    expected = len(text) <= 64 and set(text) <= set("ab_.-9") and text[0] not in "_.-"
    assert bool(SLUG.fullmatch(text)) == expected


def test_the_reserved_slug_is_no_slug() -> None:
    assert not SLUG.fullmatch("__unknown__")


def test_what_was_found_is_found_again_however_many_paths_there_are() -> None:
    table = PathTable(
        [LogType(1, "a", "A", "GET", "/a/{x}", ()), LogType(2, "b", "B", None, "/b", ())]
    )
    paths = [f"/a/{number}" for number in range(FOUND_MAX + 10)]
    for _ in range(2):
        assert {table.find("GET", path) for path in paths} == {1}
        assert table.find("GET", "/b") == 2
        assert table.find("GET", "/c") is table.find("GET", "/c") is None
