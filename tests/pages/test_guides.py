"""Guides: the same in every language, and nothing that the program has is left out."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from farebox.__main__ import PLUGS
from farebox.cli.main import make_app
from farebox.contract.texts import LANGUAGES, TRANSLATED, Language, translate
from farebox.core.errors import CATALOGUE
from farebox.engine.leases import SILENT_MS, TRUST_MS
from farebox.engine.stocks import RECALL_AGAIN_MS, RECALL_WAIT_MS
from farebox.importers.mapping import PLACES, ROLES
from farebox.importers.mapping_file import read_mapping
from farebox.pages.commands import COMMANDS
from farebox.pages.fields import fields_of
from farebox.pages.guides import GUIDE_SLUGS, guide, table
from farebox.service.readers import THREADS
from farebox.store.postgres.connection import SERVER_VERSION_MIN
from tests.pages.site_client import get

every_language = pytest.mark.parametrize("language", LANGUAGES)
every_guide = pytest.mark.parametrize("slug", GUIDE_SLUGS)
FENCED = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)]*)\)")
PLACE = re.compile(r"\{\{ (\w+) \}\}")
CODE = re.compile(r"`[^`\n]+`")
ROW = re.compile(r"^\|", re.MULTILINE)


@every_guide
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_guide_has_the_same_parts_in_every_language(slug: str, language: Language) -> None:
    english, other = guide(slug, "en").source, guide(slug, language).source
    assert FENCED.findall(other) == FENCED.findall(english)
    for part in (HEADING, LINK, PLACE, ROW):
        assert sorted(part.findall(other)) == sorted(part.findall(english))
    assert set(CODE.findall(FENCED.sub("", other))) == set(CODE.findall(FENCED.sub("", english)))


@every_guide
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_guide_is_translated(slug: str, language: Language) -> None:
    assert guide(slug, language).title != guide(slug, "en").title
    english = set(FENCED.sub("", guide(slug, "en").source).splitlines())
    lines = FENCED.sub("", guide(slug, language).source).splitlines()
    same = [line for line in lines if line in english and re.search(r"[a-z]{4,} [a-z]{2,} ", line)]
    assert same == []


@every_language
def test_every_error_is_on_the_page_of_errors(language: Language) -> None:
    page = get(f"/docs/{language}/errors.md").text
    shown = html.unescape(get(f"/docs/{language}/errors").text)
    for kind in CATALOGUE.values():
        message = translate(language, kind.message)
        assert f"| `{kind.code}` | {kind.status} | `{kind.name}` | {message} |" in page
        assert f"<td><code>{kind.code}</code></td>" in shown
        assert message in shown


@every_language
def test_settings_commands_and_metrics_are_on_the_page_of_operating(language: Language) -> None:
    page = get(f"/docs/{language}/operating.md").text
    port = translate(language, "The port to listen on; 0 takes a free one.")
    assert f"| `FAREBOX_PORT` | `8080` | {port} |" in page
    assert "| `FAREBOX_ODD` |  | One \\| two. |" in page
    audit = translate(language, "Computes the books again and says whether they agree.")
    assert f"| `farebox audit` | {audit} |" in page
    grants = translate(language, "Credits given to a workspace.")
    assert f"| `farebox grants` `create` `list` | {grants} |" in page
    assert "| `farebox_requests_total` | counter | Requests recorded. |" in page
    assert "<td>One | two.</td>" in get(f"/docs/{language}/operating").text


def commands_of(command: Any, name: str = "") -> set[str]:  # noqa: ANN401 - typer's own click
    """The names of a command and all below it."""
    inner = getattr(command, "commands", {})
    below = {full for verb, c in inner.items() for full in commands_of(c, f"{name} {verb}".strip())}
    return below or {name}


def test_every_command_is_documented() -> None:
    documented = {f"{c.name} {verb}".strip() for c in COMMANDS for verb in c.verbs or ("",)}
    commands = commands_of(get_command(make_app(*PLUGS)))
    assert "plans create" in commands
    assert commands - documented == set()


def test_the_commands_in_guides_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("access.log.gz", "mapping.toml", "farebox-backup.db"):
        (tmp_path / name).touch()
    root: Any = get_command(make_app(*PLUGS))
    pasted = set()
    for slug in GUIDE_SLUGS:
        for block in FENCED.findall(guide(slug, "en").source):
            for line in block.splitlines():
                if line.startswith("farebox "):
                    pasted |= understood(root, shlex.split(line)[1:])
    assert {"plans create", "keys create", "tokens create"} <= pasted


def test_the_mapping_in_the_guide_is_one() -> None:
    (text,) = [b for b in FENCED.findall(guide("importing", "en").source) if "[paths]" in b]
    mapping = read_mapping(text, ("x-api-key",))
    assert mapping.source == "import:web1"
    assert [route.slug for route in mapping.routes] == ["people_search", "company_search"]


def test_the_guide_names_every_part_of_a_mapping() -> None:
    source = guide("importing", "en").source
    assert [name for name in PLACES if f"| `[{name}]` |" not in source] == []
    assert [role for role in ROLES if f"`{role}`" not in source] == []
    kinds = {kind for kinds in PLACES.values() for kind in kinds}
    assert [kind for kind in kinds if f"`{kind}`" not in source] == []


def test_the_guide_to_a_fleet_tells_the_bounds_that_the_program_has() -> None:
    source = guide("fleet", "en").source
    assert f"silence after {SILENT_MS // 1000} seconds" in source
    assert f"within {TRUST_MS / 1000} seconds it answers 503" in source
    assert f"up to {RECALL_WAIT_MS / 1000} seconds for them" in source
    assert f"once in {RECALL_AGAIN_MS // 1000} seconds" in source
    assert f"| {1 + THREADS}: one follows changes, two read reports |" in source
    assert f"In PostgreSQL {SERVER_VERSION_MIN // 10_000} or later" in source


def understood(command: Any, words: list[str], name: str = "") -> set[str]:  # noqa: ANN401 - as above
    """The command's name when it takes the words; fails when it doesn't."""
    if not hasattr(command, "commands"):
        command.make_context(name, words)
        return {name}
    inner = command.commands.get(words[0])
    return understood(inner, words[1:], f"{name} {words[0]}".strip()) if inner else set()


def test_a_table_without_rows_is_nothing() -> None:
    assert table(("a", "b"), []) == ""


def test_raw_html_in_a_text_is_shown_and_not_run() -> None:
    assert "&lt;slug&gt;_credit" in get("/docs/en/profile_get").text
    assert "<slug>" not in get("/docs/en/profile_get").text


def test_fields_are_named_by_their_path() -> None:
    operation = get("/docs/en/api_keys_get_usage_daily").text
    for path in ("data.by_log_type[].series[].date", "metadata.filters", "start_date"):
        assert f"<td><code>{path}</code></td>" in operation
    assert "<td><code>[].data.status_code</code></td>" in get("/docs/en/events_record").text


def test_a_type_without_fields_gives_no_rows() -> None:
    assert fields_of([list[int]], "en") == []
