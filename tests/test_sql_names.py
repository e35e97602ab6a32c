"""Every named query has one meaning: one definition, a caller, the parameters that callers give.

The queries are read from `store/sql/*.sql`, which all engines share, and from each engine's own
`store/<engine>/sql/*.sql`, the calls from the Python sources, so that a query that nobody calls, a
misspelt name, a forgotten parameter and a query written twice fail here, before they run.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

from farebox.store.migration import read_migrations

SRC = Path(__file__).parent.parent / "src"
STORE = SRC / "farebox" / "store"
ENGINES = sorted(path.parent.name for path in STORE.glob("*/sql"))

NAME_LINE = re.compile(r"^-- name: *(\S+?)[!^$#]? *$", re.MULTILINE)
NAME = re.compile(r"[a-z][a-z0-9_]*")
NAMED = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
# In a row's place in SQLite, and as a column of many rows in PostgreSQL.
POSITIONAL = re.compile(r"\?(\d+)|(?<![:\w]):c(\d+)\b")
# Signs that one engine alone has, or reads in its own way.
ONES_OWN = re.compile(r"::|[%?]")

# The methods of `store.contract` that take a query's name first; those by keyword name their
# parameters at the call.
BY_KEYWORD = {"rows", "ask", "one", "value", "integer", "execute", "send"}
METHODS = {*BY_KEYWORD, "ask_many", "execute_many", "send_many"}


class Query(NamedTuple):
    """A named query; its parameters are names, or numbers when they are positional."""

    name: str
    comment: str
    sql: str
    parameters: frozenset[str]


class Call(NamedTuple):
    """Where Python runs a query by its name; `parameters` is None when they can't be read."""

    where: str
    name: str
    parameters: frozenset[str] | None


def parse_queries(text: str) -> Iterator[Query]:
    """The queries of one file; a sign after the name is for aiosql."""
    _, *parts = NAME_LINE.split(text)
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.strip().splitlines()
        comment = lines[0].removeprefix("--").strip() if lines[0].startswith("--") else ""
        sql = "\n".join(line.partition("--")[0] for line in lines).strip()
        bare = re.sub(r"'[^']*'", "''", sql)
        yield Query(name, comment, sql, frozenset(parse_parameters(bare)))


def parse_parameters(sql: str) -> Iterator[str]:
    """Names, and numbers of those that have no name."""
    for row, column in POSITIONAL.findall(sql):
        yield row or column
    yield from NAMED.findall(POSITIONAL.sub("", sql))


def queries_in(folder: Path) -> list[Query]:
    """The queries of the files of one folder."""
    files = sorted(folder.glob("*.sql"))
    return [query for file in files for query in parse_queries(file.read_text(encoding="utf-8"))]


def queries_of(engine: str) -> list[Query]:
    """The queries of one engine: those that all share, and those in words of its own."""
    return queries_in(STORE / "sql") + queries_in(STORE / engine / "sql")


def own_queries_of(engine: str) -> list[Query]:
    """The queries that only the engine itself has and runs."""
    return queries_in(STORE / engine)


def is_run_by(engine: str, call: Call) -> bool:
    """Whether an engine's queries are meant: those of another engine's own are not."""
    others = {f"farebox/store/{name}/" for name in ENGINES} - {f"farebox/store/{engine}/"}
    return not call.where.startswith(tuple(others))


def parse_calls(path: str, text: str) -> Iterator[Call]:
    """The calls of queries in one Python file that give the name as it is."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        first = node.args[0] if node.args else None
        method = node.func.attr
        if method not in METHODS or not isinstance(first, ast.Constant):
            continue
        if isinstance(first.value, str) and NAME.fullmatch(first.value):
            keywords = [keyword.arg for keyword in node.keywords]
            given = frozenset(name for name in keywords if name is not None)
            is_readable = method in BY_KEYWORD and None not in keywords
            yield Call(f"{path}:{node.lineno}", first.value, given if is_readable else None)


def parse_strings(text: str) -> Iterator[str]:
    """All strings of one Python file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def python_sources() -> list[tuple[str, str]]:
    """The project's Python files: a path and a text each."""
    paths = sorted(SRC.rglob("*.py"))
    return [(path.relative_to(SRC).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def wrong_calls(queries: Iterable[Query], calls: Iterable[Call]) -> list[str]:
    """Calls of what doesn't exist, or with other parameters than the query has."""
    known = {query.name: query for query in queries}
    wrong = []
    for call in calls:
        query = known.get(call.name)
        if query is None:
            wrong.append(f"{call.where}: there is no query {call.name}")
        elif call.parameters is not None and call.parameters != query.parameters:
            odd = ", ".join(sorted(call.parameters ^ query.parameters))
            wrong.append(f"{call.where}: {call.name} and its caller disagree on {odd}")
    return wrong


def differences(left: Iterable[Query], right: Iterable[Query]) -> list[str]:
    """Names that only one engine has, or with other parameters."""
    ours = {query.name: query.parameters for query in left}
    theirs = {query.name: query.parameters for query in right}
    return sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))


def written_twice(left: Iterable[Query], right: Iterable[Query]) -> list[str]:
    """Names of queries whose SQL is the same in two folders, but for white space and comments."""
    ours = {query.name: query.sql.split() for query in left}
    return sorted(query.name for query in right if ours.get(query.name) == query.sql.split())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_name_is_defined_once_and_says_who_calls_it(engine: str) -> None:
    queries = queries_of(engine) + own_queries_of(engine)
    assert queries
    counted = Counter(query.name for query in queries)
    assert not [name for name, count in counted.items() if count > 1]
    assert not [query.name for query in queries if not NAME.fullmatch(query.name)]
    assert not [query.name for query in queries if not query.comment]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_query_has_a_caller(engine: str) -> None:
    strings = {string for _, text in python_sources() for string in parse_strings(text)}
    queries = queries_of(engine) + own_queries_of(engine)
    assert not [query.name for query in queries if query.name not in strings]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_call_names_a_query_and_gives_its_parameters(engine: str) -> None:
    calls = [call for path, text in python_sources() for call in parse_calls(path, text)]
    assert calls
    meant = [call for call in calls if is_run_by(engine, call)]
    wrong = wrong_calls(queries_of(engine) + own_queries_of(engine), meant)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_all_engines_have_the_same_queries() -> None:
    assert ENGINES == ["postgres", "sqlite"]
    first, *others = ENGINES
    assert not [
        (engine, difference)
        for engine in others
        for difference in differences(queries_of(first), queries_of(engine))
    ]


def test_a_query_is_shared_or_in_words_of_each_engine() -> None:
    shared = {query.name for query in queries_in(STORE / "sql")}
    first, second = (queries_in(STORE / engine / "sql") for engine in ENGINES)
    assert not [query.name for query in first + second if query.name in shared]
    assert {query.name for query in first} == {query.name for query in second}
    assert not written_twice(first, second)


def test_what_engines_share_is_plain_sql() -> None:
    shared = queries_in(STORE / "sql")
    assert shared
    assert not [query.name for query in shared if ONES_OWN.search(query.sql)]


def test_every_sqlite_query_fits_the_schema() -> None:
    connection = apsw.Connection(":memory:")
    for migration in read_migrations(STORE / "sqlite" / "migrations"):
        connection.execute(migration.sql)
    misfits = []
    for query in queries_of("sqlite"):
        numbers = [int(name) for name in query.parameters if name.isdecimal()]
        nulls = dict.fromkeys(query.parameters) if not numbers else (None,) * max(numbers)
        try:
            connection.execute("explain " + query.sql, nulls)
        except apsw.Error as error:
            misfits.append(f"{query.name}: {error}")
    if misfits:
        pytest.fail("\n".join(misfits), pytrace=False)


SAMPLE = """-- A file.

-- name: plan_get
-- Plans, one look-up.
select ':no', a::text from plans -- not :this
where plan_id = :plan_id and slug = :slug;

-- name: plan_add!
insert into plans values (?1, ?2);
"""


def test_queries_are_read_as_they_are_meant() -> None:
    get, add = parse_queries(SAMPLE)
    assert (get.name, get.comment) == ("plan_get", "Plans, one look-up.")
    assert get.parameters == {"plan_id", "slug"}
    assert (add.name, add.comment) == ("plan_add", "")
    assert add.parameters == {"1", "2"}


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("db.one('plan_get', Row, plan_id=1, slug='a')", ""),
        ("db.one('plan_get', Row, **given)", ""),
        ("db.execute_many('plan_add', rows)", ""),
        ("settings.get('plan_got')", ""),
        ("db.one('plan_got', Row, plan_id=1)", "a.py:1: there is no query plan_got"),
        ("db.execute('plan_get', plan_id=1)", "a.py:1: plan_get and its caller disagree on slug"),
    ],
)
def test_a_wrong_call_is_named(call: str, complaint: str) -> None:
    wrong = wrong_calls(parse_queries(SAMPLE), parse_calls("a.py", call))
    assert wrong == ([complaint] if complaint else [])


def test_engines_that_differ_are_told_apart() -> None:
    ours = list(parse_queries(SAMPLE))
    assert differences(ours, ours) == []
    assert differences(ours, ours[:1]) == ["plan_add"]
    many = ours[1].sql.replace("?1, ?2", ":c1::bigint[], :c2::text[]")
    assert set(parse_parameters(many)) == ours[1].parameters
    assert differences(ours, [ours[0]._replace(parameters=frozenset()), ours[1]]) == ["plan_get"]


def test_a_query_that_is_written_twice_is_named() -> None:
    ours = list(parse_queries(SAMPLE))
    theirs = list(parse_queries(SAMPLE.replace(" where", "\n  where").replace("not :this", "so")))
    other = ours[1]._replace(sql=ours[1].sql.replace("?1, ?2", ":c1::bigint[], :c2::text[]"))
    assert written_twice(ours, theirs) == ["plan_add", "plan_get"]
    assert written_twice(ours, [theirs[0], other]) == ["plan_get"]
