"""Tables of a page, as a reader sees them and as a program does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from typing import Any


@dataclass
class Cell:
    """What stands in a cell, the exact value beside it, and the instant of a time."""

    text: str = ""
    value: str | None = None
    instant: str | None = None

    @property
    def number(self) -> Decimal | None:
        """The exact value; None where there is none."""
        return None if self.value is None else Decimal(self.value)


@dataclass
class Row:
    """A row: which thing it is about, and its cells."""

    about: str = ""
    cells: list[Cell] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass
class Table:
    """A table with its heads, rows and foot."""

    head: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    foot: list[Cell] = field(default_factory=list)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self._table: Table | None = None
        self._part = ""
        self._cell: Cell | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._table = self.tables.setdefault(found["id"], Table())
        if self._table is None:
            return
        if tag in {"thead", "tbody", "tfoot"}:
            self._part = tag
        elif tag == "tr" and self._part == "tbody":
            self._table.rows.append(Row(found.get("data-row") or found.get("data-at", "")))
        elif tag in {"td", "th"}:
            self._cell = Cell()
            if self._part == "tbody":
                self._table.rows[-1].cells.append(self._cell)
            elif self._part == "tfoot":
                self._table.foot.append(self._cell)
        elif tag == "a" and self._part == "tbody":
            self._table.rows[-1].links.append(found["href"])
        elif self._cell is not None:
            self._cell.value = found["value"] if tag == "data" else self._cell.value
            self._cell.instant = found["datetime"] if tag == "time" else self._cell.instant

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.text = f"{self._cell.text} {data}".strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._table = None
        elif tag in {"td", "th"} and self._cell is not None and self._table is not None:
            if self._part == "thead":
                self._table.head.append(self._cell.text)
            self._cell = None


def tables(html: str) -> dict[str, Table]:
    """The tables of a page by their ids."""
    parser = _Parser()
    parser.feed(html)
    return parser.tables


def chart(html: str) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of the page's chart."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1], parse_float=Decimal)


def figure(html: str, element_id: str) -> Decimal:
    """The exact value of the figure with an id."""
    found = re.search(rf'id="{element_id}">(?:<[^d][^>]*>)*<data value="([^"]+)">', html)
    assert found is not None, element_id
    return Decimal(unescape(found[1]))
