"""Migrations: numbered steps of the schema, in two phases, so that two programs may overlap.

`NNNN_name.sql` is taken when a newer program starts. It only adds, so that programs which don't
know it work on beside it, as far back as its first line says (`-- beside: 3` is: those that know
schema 3); without that line none does. `NNNN_name.post.sql` takes away what only those needed, once
the last of them has ended. Each step is applied once, in order, whole or not at all.

A database that is newer than a program is refused, never touched, unless it says that the program
may work beside it. docs/decisions/0018-two-phase-migrations.md has the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

Phase = Literal["pre", "post"]

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+(\.post)?\.sql")
_BESIDE = re.compile(r"-- beside: (\d+)\n")


class Migration(NamedTuple):
    """A step of the schema. `beside` is the oldest schema whose programs may work after it."""

    number: int
    name: str
    sql: str
    is_post: bool = False
    beside: int | None = None


class SchemaState(NamedTuple):
    """Where a database stands: its last step, the oldest program for it, its last post step."""

    version: int
    oldest: int
    finished: int


EMPTY = SchemaState(0, 0, 0)


def read_migrations(folder: Path) -> list[Migration]:
    """The steps of a folder, ascending, each pre before its post."""
    found = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match:
            sql = path.read_text("utf-8")
            beside = _BESIDE.match(sql)
            found.append(
                Migration(
                    int(match[1]),
                    path.name.removesuffix(".sql"),
                    sql,
                    is_post=match[2] is not None,
                    beside=int(beside[1]) if beside else None,
                )
            )
    return sorted(found, key=lambda step: (step.number, step.is_post))


def next_step(state: SchemaState, steps: Iterable[Migration], phase: Phase) -> Migration | None:
    """What is to be done next. First all that adds, then, in the phase `post`, what takes away."""
    steps = list(steps)
    for step in steps:
        if not step.is_post and step.number > state.version:
            return step
    if phase == "post":
        for step in steps:
            if step.is_post and step.number > state.finished:
                return step
    return None


def after(state: SchemaState, step: Migration) -> SchemaState:
    """Where a database stands after a step."""
    if step.is_post:
        oldest = max(state.oldest, step.number)
        return state._replace(oldest=oldest, finished=step.number)
    beside = step.number if step.beside is None else step.beside
    return state._replace(version=step.number, oldest=max(state.oldest, beside))


def newer_than(state: SchemaState, known: int) -> str:
    """Why a program that knows steps up to a number can't work there; empty if it can."""
    if state.oldest <= known:
        return ""
    return f"the database has schema {state.version}, of a newer Farebox; this one knows {known}"


def older_than(state: SchemaState, known: int) -> str:
    """Why a program that only reads can't work there; empty if it can."""
    if state.version >= known:
        return ""
    if state == EMPTY:
        return "the database is new; `farebox serve` or `farebox migrate` makes it ready"
    return (
        f"the database has schema {state.version}, of an older Farebox; "
        f"`farebox serve` brings it to {known}"
    )


def unfinishable(state: SchemaState, known: int) -> str:
    """Why a program can't take the post steps; empty if it can."""
    if state.version <= known:
        return ""
    return (
        f"the database has schema {state.version} and this Farebox knows {known}: "
        "the newest Farebox in use has to finish the migration"
    )
