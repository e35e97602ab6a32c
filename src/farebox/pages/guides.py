"""Guides: texts written by hand, one Markdown file a language, with tables filled in.

A file begins with `# Title` and `> description`. What stands in double braces is filled in from the
facts and the error catalogue, so that a guide never lags behind the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from farebox.contract.texts import Language, translate
from farebox.core.errors import CATALOGUE
from farebox.pages.commands import COMMANDS
from farebox.pages.facts import Facts
from farebox.pages.texts import page_texts

GUIDE_SLUGS = (
    "getting-started",
    "authentication",
    "errors",
    "counting",
    "metering",
    "importing",
    "gateways",
    "middleware",
    "webhooks",
    "dashboard",
    "operating",
    "fleet",
    "high-availability",
)
# Markdown is escaped where it becomes HTML, by its renderer.
_TEMPLATES = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701


class Guide(NamedTuple):
    """A guide's file: `source` is its Markdown, with the places for tables still in it."""

    title: str
    description: str
    source: str


@lru_cache(maxsize=64)
def guide(slug: str, language: Language) -> Guide:
    """A guide in a language."""
    path = resources.files("farebox.pages").joinpath(f"guides/{language}/{slug}.md")
    source = path.read_text(encoding="utf-8")
    title, description = source.split("\n\n", 2)[:2]
    assert title.startswith("# ")
    assert description.startswith("> ")
    return Guide(title[2:], description[2:].replace("\n> ", " "), source)


def guide_markdown(slug: str, language: Language, facts: Facts) -> str:
    """A guide with its tables filled in."""
    template = _TEMPLATES.from_string(guide(slug, language).source)
    return template.render(
        base_url=facts.base_url,
        lang=language,
        key_header=facts.key_headers[-1],
        key_headers=", ".join(f"`{header}`" for header in facts.key_headers),
        error_table=error_table(language),
        setting_table=setting_table(language, facts),
        command_table=command_table(language),
        metric_table=metric_table(language, facts),
    )


def error_table(language: Language) -> str:
    """Every kind of error, by its code."""
    texts = page_texts(language)
    rows = [
        (f"`{kind.code}`", str(kind.status), f"`{kind.name}`", translate(language, kind.message))
        for kind in sorted(CATALOGUE.values())
    ]
    return table((texts["code"], texts["status"], texts["name"], texts["message"]), rows)


def setting_table(language: Language, facts: Facts) -> str:
    """Every setting."""
    texts = page_texts(language)
    rows = [
        (
            f"`{setting.name}`",
            f"`{setting.default}`" if setting.default else "",
            translate(language, setting.description),
        )
        for setting in facts.settings
    ]
    return table((texts["setting"], texts["default"], texts["description"]), rows)


def command_table(language: Language) -> str:
    """Every command."""
    texts = page_texts(language)
    rows = [
        (
            " ".join((f"`farebox {command.name}`", *(f"`{verb}`" for verb in command.verbs))),
            translate(language, command.description),
        )
        for command in COMMANDS
    ]
    return table((texts["command"], texts["description"]), rows)


def metric_table(language: Language, facts: Facts) -> str:
    """Every metric."""
    texts = page_texts(language)
    rows = [(f"`{m.name}`", m.kind, translate(language, m.description)) for m in facts.metrics]
    return table((texts["metric"], texts["kind"], texts["description"]), rows)


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; empty without rows."""
    lines = [_line(row) for row in rows]
    return "\n".join((_line(heads), _line(("---",) * len(heads)), *lines)) if lines else ""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
