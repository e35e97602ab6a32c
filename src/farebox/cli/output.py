"""Output: tables for people, JSON for programs. Both show the same fields under the same names."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from farebox.contract.wire import ENCODER

# Wide enough that nothing is folded in a pipe.
PIPE_COLUMNS = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def show(data: msgspec.Struct, *, as_json: bool, without: Collection[str] = ()) -> None:
    """Print one thing: its fields, one a line, in a table without some of them."""
    if as_json:
        _write_json(data)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in _fields(data).items():
        if name not in without:
            table.add_row(Text(name, style="bold"), Text(_plain(value)))
    console().print(table)


def show_list(rows: Sequence[msgspec.Struct], columns: Sequence[str], *, as_json: bool) -> None:
    """Print several things: one a line, with some of their fields; JSON has all fields."""
    if as_json:
        _write_json(rows)
        return
    if not rows:
        console().print("none")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        values = _fields(row)
        table.add_row(*(Text(_plain(values[column])) for column in columns))
    console().print(table)


def console() -> Console:
    """What prints to standard output."""
    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, highlight=False)


def note(message: str) -> None:
    """Something to know, on stderr, so that standard output holds the answer alone."""
    sys.stderr.write(f"{message}\n")


def _write_json(data: object) -> None:
    text = msgspec.json.format(ENCODER.encode(data), indent=2)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()


def _fields(data: msgspec.Struct) -> dict[str, object]:
    return {name: getattr(data, name) for name in data.__struct_fields__}


def _plain(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case msgspec.Struct() | list() | dict():
            return ENCODER.encode(value).decode()
        case _:
            return str(value)
