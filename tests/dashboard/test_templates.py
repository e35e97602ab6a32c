"""Templates: every word stands in a marked text, so that it is translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parents[2] / "src/farebox/dashboard/templates"
# Names, and what is no word of a language.
SAME_EVERYWHERE = {"Farebox", "CSV", "Parquet"}
# A macro may give the attributes of an element alone.
ATTRIBUTE = re.compile(r'[a-z-]+="\S*"?|\{\}-[a-z]+"')
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title", "content"}
SPOKEN_EXCEPT = {"viewport", "color-scheme", "robots"}


class _Words(HTMLParser):
    """Collects what is read or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta" and dict(attrs).get("name") in SPOKEN_EXCEPT:
            return
        self.found += [value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def words_of(template: str) -> list[str]:
    """The words of a template that stand outside of its expressions."""
    tree = Environment(autoescape=True).parse(template)
    texts = "".join(
        node.data if isinstance(node, nodes.TemplateData) else "{}"
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
    )
    parser = _Words()
    parser.feed(texts)
    words = " ".join(parser.found).replace("·", " ").split()
    return [
        word
        for word in words
        if any(c.isalpha() for c in word)
        and word not in SAME_EVERYWHERE
        and not ATTRIBUTE.fullmatch(word)
    ]


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: str(p.relative_to(TEMPLATES))
)
def test_no_word_stands_outside_of_a_marked_text(path: Path) -> None:
    assert words_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "template",
    ["<p>Hello</p>", '<a title="Go">{{ x }}</a>', "{% if a %}<b>{{ _('x') }} left</b>{% endif %}"],
)
def test_an_unmarked_word_is_found(template: str) -> None:
    assert words_of(template)
