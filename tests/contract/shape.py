"""Shapes: what an answer must be, as data, and what is wrong with an answer.

A shape is `{"type": …}` with the type of JSON; beside it stand

    nullable   the value may be null
    pattern    of a string: a regular expression for the whole of it
    items      of an array: the shape of each
    keys       of an object: every key and its shape; all must be there, and no others
    ours       of an object: which of its keys the seed doesn't have

`map` is an object with any keys. The files in `tests/data/seeds` hold one shape an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NotRequired, TypedDict

SEEDS = Path(__file__).parent.parent / "data" / "seeds"
SEED_NAMES = ("profile_usage", "quotas", "usage_breakdown", "usage_daily")


class Shape(TypedDict):
    """One shape, as the module's docstring tells."""

    type: str
    nullable: NotRequired[bool]
    pattern: NotRequired[str]
    items: NotRequired[Shape]
    keys: NotRequired[dict[str, Shape]]
    ours: NotRequired[list[str]]


class Request(TypedDict):
    """The fields of a request: the seed's, those it requires, and ours."""

    required: list[str]
    keys: list[str]
    ours: list[str]


class Seed(TypedDict):
    """One seed endpoint: its answer's shape and example, its errors' shapes and texts."""

    endpoint: str
    operation_id: str | None
    note: str
    request: NotRequired[Request]
    answer: Shape
    example: dict[str, Any]
    errors: dict[str, Shape]
    texts: dict[str, dict[str, str]]


def load(name: str) -> Seed:
    """The data file of a seed endpoint."""
    seed: Seed = json.loads((SEEDS / f"{name}.json").read_text(encoding="utf-8"))
    return seed


def problems(answer: object, shape: Shape, *, is_seed: bool = False, at: str = "$") -> list[str]:
    """What is wrong with an answer; nothing when it has exactly the shape.

    Args:
        answer: decoded JSON.
        shape: what it must be.
        is_seed: the answer is the seed's own, which has none of our keys.
        at: the path that the answer stands at.
    """
    return list(_problems(answer, shape, is_seed=is_seed, at=at))


def _problems(answer: object, shape: Shape, *, is_seed: bool, at: str) -> Iterator[str]:
    if answer is None:
        if not shape.get("nullable"):
            yield f"{at} must not be null"
        return
    if not _is_type(answer, shape["type"]):
        yield f"{at} must be of the type {shape['type']}, not {type(answer).__name__}"
        return
    if isinstance(answer, str) and not re.fullmatch(shape.get("pattern", ".*"), answer, re.DOTALL):
        yield f"{at} must match {shape['pattern']}"
    if isinstance(answer, list):
        for index, item in enumerate(answer):
            yield from _problems(item, shape["items"], is_seed=is_seed, at=f"{at}[{index}]")
    if isinstance(answer, dict) and shape["type"] == "object":
        yield from _key_problems(answer, shape, is_seed=is_seed, at=at)


def _key_problems(answer: dict[str, Any], shape: Shape, *, is_seed: bool, at: str) -> Iterator[str]:
    ours = shape.get("ours", []) if is_seed else []
    keys = {name: inner for name, inner in shape["keys"].items() if name not in ours}
    for name in keys.keys() - answer.keys():
        yield f"{at}.{name} is missing"
    for name in answer.keys() - keys.keys():
        yield f"{at}.{name} is not a key of the contract"
    for name in keys.keys() & answer.keys():
        yield from _problems(answer[name], keys[name], is_seed=is_seed, at=f"{at}.{name}")


def _is_type(value: object, name: str) -> bool:
    """Whether decoded JSON has a type; true and false are no numbers, 1.0 is no integer."""
    match name:
        case "object" | "map":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            message = f"no such type: {name}"
            raise ValueError(message)
