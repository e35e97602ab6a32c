"""The house rules, as a test. Each rule reads one file and names what breaks it.

Every rule carries a sample that it must refuse and one that it must let pass, so that no rule is
dead. Style is ruff's, types are mypy's and the floors are import-linter's; here stands the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "benchmarks", "docs", "examples", "requirements", "src", "tests")
SUFFIXES = (
    "",
    ".css",
    ".html",
    ".in",
    ".js",
    ".md",
    ".po",
    ".py",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SQL_COLUMNS_MAX = 100

# Where the outside world may be asked; everywhere else it comes in as a parameter.
ADAPTERS = (
    "src/farebox/client/outside.py",
    "src/farebox/engine/clock.py",
    "src/farebox/engine/entropy.py",
    "src/farebox/settings.py",
)
OUTSIDE = re.compile(
    r"(time\.(time|time_ns|localtime|gmtime)|(\w+\.)?(datetime|date)\.(now|utcnow|today)"
    r"|random\.(?!Random$)\w+|secrets\.\w+|uuid\.uuid\d|os\.(environ|getenv|urandom)\b.*)"
)
OUTSIDE_MODULES = {"random", "secrets"}

CORE_MAY_IMPORT = {
    "__future__", "base64", "bisect", "calendar", "collections", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac",
    "importlib", "ipaddress", "itertools", "math", "operator", "re", "string", "struct",
    "textwrap", "typing", "unicodedata", "uuid", "zlib", "zoneinfo",
}  # fmt: skip
EXACT = ("src/farebox/core/",)

DATA_SQL = re.compile(
    r"\s*(--[^\n]*\n\s*)*(select\s.*\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s"
    r"|delete\s+from\s|replace\s+into\s|with\s+\w+\s+as\s*\(|(create|drop|alter)\s+(unique\s+)?"
    r"(table|index|view|trigger)\s)",
    re.IGNORECASE | re.DOTALL,
)
CONTROL_SQL = re.compile(
    r"\s*(pragma\s+\w+|begin\s+(immediate|exclusive|deferred)\b|vacuum\b|(savepoint|release)\s+\w+\s*$)",
    re.IGNORECASE,
)

# In two halves, so that this file doesn't break its own rule.
REGISTRY_HOSTS = tuple(
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
        ("yarnpkg", "com"), ("crates", "io"), ("golang", "org"),
    )
)  # fmt: skip


class Source:
    """A file: its path from the root, its text, and its tree if it is Python."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of a Python file; none of another."""
        return list(ast.walk(ast.parse(self.text))) if self.path.endswith(".py") else []

    def is_in(self, *starts: str) -> bool:
        """Whether the path begins with one of these."""
        return self.path.startswith(starts)


Findings = Iterator[tuple[int, str]]
Check = Callable[[Source], Findings]


class Sample(NamedTuple):
    """A rule with what it must refuse and what it must let pass: a path and a text each."""

    name: str
    check: Check
    bad: tuple[str, str]
    good: tuple[str, str]


def file_length(source: Source) -> Findings:
    lines = source.text.count("\n")
    if source.path.endswith((".py", ".sql")) and lines > FILE_LINES_MAX:
        yield lines, f"a file has at most {FILE_LINES_MAX} lines"


def function_length(source: Source) -> Findings:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"


def module_docstring(source: Source) -> Findings:
    if source.path.endswith(".py") and not ast.get_docstring(ast.parse(source.text)):
        yield 1, "a module says what it is"


def hidden_import(source: Source) -> Findings:
    for node in source.nodes:
        where = ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            where = "in a function"
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            where = "behind TYPE_CHECKING"
        if where:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno, f"an import hides {where}"


def core_import(source: Source) -> Findings:
    if not source.is_in("src/farebox/core/"):
        return
    for node in source.nodes:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] not in CORE_MAY_IMPORT and not name.startswith("farebox.core."):
                yield getattr(node, "lineno", 1), f"the core doesn't import {name}"


def float_near_money(source: Source) -> Findings:
    if not source.is_in("src/farebox/core/", "src/farebox/store/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"{node.value} is a float"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            yield node.lineno, "float() makes a float"
        elif isinstance(node, ast.Div) and source.is_in(*EXACT):
            yield 1, "a division that makes a float; use //"


def outside_world(source: Source) -> Findings:
    if not source.is_in("src/") or source.path in ADAPTERS:
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and OUTSIDE.fullmatch(ast.unparse(node)):
            yield node.lineno, f"{ast.unparse(node)} comes in as a parameter"
        elif isinstance(node, ast.Call) and re.fullmatch(
            r"(random\.)?Random\(\)", ast.unparse(node)
        ):
            yield node.lineno, "a generator of random numbers is seeded"
        elif isinstance(node, ast.ImportFrom) and node.module in {*OUTSIDE_MODULES, "time", "os"}:
            for alias in node.names:
                if OUTSIDE.fullmatch(f"{node.module}.{alias.name}"):
                    yield node.lineno, f"{node.module}.{alias.name} comes in as a parameter"


def sql_in_python(source: Source) -> Findings:
    if not source.is_in("src/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if DATA_SQL.match(node.value):
                yield node.lineno, "SQL stands in .sql files of the store"
            elif CONTROL_SQL.match(node.value) and not source.is_in("src/farebox/store/"):
                yield node.lineno, "only the store controls the database"


def sql_form(source: Source) -> Findings:
    if not source.path.endswith(".sql"):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > SQL_COLUMNS_MAX:
            yield number, f"a line has at most {SQL_COLUMNS_MAX} columns"
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", line.partition("--")[0])
        if bare != bare.lower():
            yield number, "SQL is written in lower case"


def registry_host(source: Source) -> Findings:
    for number, line in enumerate(source.text.splitlines(), 1):
        for host in REGISTRY_HOSTS:
            if host in line:
                yield number, "the host of a package registry is named"


def silent_skip(source: Source) -> Findings:
    for node in source.nodes:
        if source.is_in("tests/") and isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if re.fullmatch(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)", name):
                yield node.lineno, "a test that can't run fails; it is never skipped"


def sleep_in_test(source: Source) -> Findings:
    for node in source.nodes:
        if isinstance(node, ast.Attribute | ast.ImportFrom) and source.is_in("tests/"):
            if ast.unparse(node) not in {"time.sleep", "from time import sleep"}:
                continue
            yield node.lineno, "a test waits for a thing, not for time"


DOC = '"""A noun."""\n'
SAMPLES = (
    Sample(
        "file_length",
        file_length,
        ("src/farebox/a.py", DOC + "x = 1\n" * FILE_LINES_MAX),
        ("src/farebox/a.py", DOC + "x = 1\n" * (FILE_LINES_MAX - 1)),
    ),
    Sample(
        "function_length",
        function_length,
        ("src/farebox/a.py", DOC + "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
        ("src/farebox/a.py", DOC + "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
    ),
    Sample("module_docstring", module_docstring, ("tests/a.py", "x = 1\n"), ("tests/a.py", DOC)),
    Sample(
        "hidden_import",
        hidden_import,
        ("src/farebox/a.py", DOC + "async def f():\n    if x:\n        import os\n"),
        ("src/farebox/a.py", DOC + "import os\n"),
    ),
    Sample(
        "hidden_import_for_types",
        hidden_import,
        ("src/farebox/a.py", DOC + "if typing.TYPE_CHECKING:\n    from x import y\n"),
        ("src/farebox/a.py", DOC + "if x:\n    y = 1\n"),
    ),
    Sample(
        "core_import",
        core_import,
        ("src/farebox/core/a.py", DOC + "import os.path\n"),
        ("src/farebox/core/a.py", DOC + "from farebox.core.key import mask\nimport re\n"),
    ),
    Sample(
        "core_import_from_above",
        core_import,
        ("src/farebox/core/a.py", DOC + "from farebox.store.contract import Reader\n"),
        ("src/farebox/store/a.py", DOC + "from farebox.store.contract import Reader\n"),
    ),
    Sample(
        "float_literal",
        float_near_money,
        ("src/farebox/store/a.py", DOC + "x = 1.5\n"),
        ("src/farebox/store/a.py", DOC + "x = 15\n"),
    ),
    Sample(
        "float_call",
        float_near_money,
        ("src/farebox/core/a.py", DOC + "x = float(y)\n"),
        ("src/farebox/api/a.py", DOC + "x = float(y)\n"),
    ),
    Sample(
        "float_division",
        float_near_money,
        ("src/farebox/core/report.py", DOC + "x = y / z\n"),
        ("src/farebox/core/report.py", DOC + "x = y // z\n"),
    ),
    Sample(
        "outside_clock",
        outside_world,
        ("src/farebox/api/a.py", DOC + "x = datetime.datetime.now(UTC)\n"),
        ("src/farebox/engine/clock.py", DOC + "x = time.time_ns()\n"),
    ),
    Sample(
        "outside_clock_imported",
        outside_world,
        ("src/farebox/api/a.py", DOC + "from time import time\n"),
        ("src/farebox/api/a.py", DOC + "from time import monotonic\n"),
    ),
    Sample(
        "outside_randomness",
        outside_world,
        ("src/farebox/service/a.py", DOC + "x = secrets.token_hex()\n"),
        ("tests/a.py", DOC + "x = random.random()\n"),
    ),
    Sample(
        "outside_randomness_unseeded",
        outside_world,
        ("src/farebox/demo/a.py", DOC + "x = Random()\n"),
        ("src/farebox/demo/a.py", DOC + "from random import Random\nx = Random(7)\n"),
    ),
    Sample(
        "outside_environment",
        outside_world,
        ("src/farebox/cli/a.py", DOC + "x = os.environ['HOME']\n"),
        ("src/farebox/settings.py", DOC + "x = os.environ['HOME']\n"),
    ),
    Sample(
        "sql_in_python",
        sql_in_python,
        ("src/farebox/store/sqlite/a.py", DOC + "x = 'select a from b'\n"),
        ("src/farebox/service/a.py", DOC + "x = 'Select a plan'\n"),
    ),
    Sample(
        "control_sql_outside_the_store",
        sql_in_python,
        ("src/farebox/engine/a.py", DOC + "x = 'begin immediate'\n"),
        ("src/farebox/store/sqlite/a.py", DOC + "x = 'begin immediate'\n"),
    ),
    Sample(
        "sql_lower_case",
        sql_form,
        ("src/farebox/store/sqlite/sql/a.sql", "SELECT 1;\n"),
        ("src/farebox/store/sqlite/sql/a.sql", "select 'A' collate \"C\"; -- A\n"),
    ),
    Sample(
        "sql_line_length",
        sql_form,
        ("src/farebox/store/sqlite/sql/a.sql", "x" * (SQL_COLUMNS_MAX + 1)),
        ("src/farebox/store/sqlite/sql/a.sql", "x" * SQL_COLUMNS_MAX),
    ),
    Sample(
        "registry_host",
        registry_host,
        ("docs/a.md", f"See {REGISTRY_HOSTS[0]}.\n"),
        ("docs/a.md", "See the package index.\n"),
    ),
    Sample(
        "silent_skip",
        silent_skip,
        ("tests/a.py", DOC + "@pytest.mark.skipif(x)\ndef test(): ...\n"),
        ("tests/a.py", DOC + "@pytest.mark.slow\ndef test(): ...\n"),
    ),
    Sample(
        "sleep_in_test",
        sleep_in_test,
        ("tests/a.py", DOC + "time.sleep(1)\n"),
        ("tests/a.py", DOC + "asyncio.sleep(0)\n"),
    ),
)
RULES = tuple(dict.fromkeys(sample.check for sample in SAMPLES))


def house() -> list[Source]:
    """Every file of the project that people write."""
    paths = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".coverage"]
    for folder in FOLDERS:
        paths += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(paths)
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts
    ]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    found = house()
    assert {"Makefile", "src/farebox/__init__.py"} <= {source.path for source in found}
    return found


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
def test_the_house_keeps_the_rule(check: Check, sources: list[Source]) -> None:
    broken = [f"{s.path}:{line}: {why}" for s in sources for line, why in check(s)]
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_rule_can_fail_and_can_hold(sample: Sample) -> None:
    assert list(sample.check(Source(*sample.bad))), "the planted sample went unseen"
    assert not list(sample.check(Source(*sample.good)))
