"""The shape checker: a planted missing, extra or wrongly typed key is found, for every key."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.shape import SEED_NAMES, SEEDS, Shape, load, problems

Path = tuple[str | int, ...]
WRONG: dict[str, list[object]] = {
    "object": [[], "x", 1],
    "map": [[], "x", 1],
    "array": [{}, "x", 1],
    "string": [1, True, [], {}],
    "boolean": [0, "true", []],
    "integer": [1.5, "1", True, []],
    "number": ["1.5", False, {}],
}


def full(name: str) -> dict[str, Any]:
    """The seed's example with our keys added: what our answer looks like."""
    seed = load(name)
    answer: dict[str, Any] = _with_ours(seed["example"], seed["answer"])
    return answer


def _with_ours(value: Any, shape: Shape) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict) and "keys" in shape:
        added = dict.fromkeys(shape.get("ours", []), "x")
        return {k: _with_ours(v, shape["keys"][k]) for k, v in value.items()} | added
    if isinstance(value, list) and "items" in shape:
        return [_with_ours(item, shape["items"]) for item in value]
    return value


def places(value: object, shape: Shape, at: Path = ()) -> Iterator[tuple[Path, Shape]]:
    """Every value of an answer with its shape, the answer itself first."""
    yield at, shape
    if isinstance(value, dict) and "keys" in shape:
        for name, item in value.items():
            yield from places(item, shape["keys"][name], (*at, name))
    elif isinstance(value, list) and "items" in shape:
        for index, item in enumerate(value):
            yield from places(item, shape["items"], (*at, index))


def planted(answer: object, at: Path, value: object) -> object:
    """The answer with another value in one place."""
    if not at:
        return value
    changed = copy.deepcopy(answer)
    inner: Any = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return changed


CASES = [
    pytest.param(name, at, shape, id=f"{name}.{'.'.join(map(str, at))}")
    for name in SEED_NAMES
    for at, shape in places(full(name), load(name)["answer"])
]
OBJECTS = [case for case in CASES if "keys" in case.values[2]]  # type: ignore[operator] # a Shape
KEYS = [case for case in CASES if case.values[1] and isinstance(case.values[1][-1], str)]  # type: ignore[index] # a Path


def test_every_data_file_is_checked() -> None:
    assert {path.stem for path in SEEDS.iterdir()} == set(SEED_NAMES)


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_seeds_own_example_has_the_shape(name: str) -> None:
    seed = load(name)
    assert problems(seed["example"], seed["answer"], is_seed=True) == []
    assert problems(full(name), seed["answer"]) == []


@pytest.mark.parametrize(("name", "at", "shape"), CASES)
def test_a_wrong_type_is_found_at_every_place(name: str, at: Path, shape: Shape) -> None:
    for wrong in WRONG[shape["type"]]:
        assert problems(planted(full(name), at, wrong), load(name)["answer"])


@pytest.mark.parametrize(("name", "at", "shape"), CASES)
def test_null_is_found_wherever_it_is_not_allowed(name: str, at: Path, shape: Shape) -> None:
    found = problems(planted(full(name), at, None), load(name)["answer"])
    assert bool(found) != shape.get("nullable", False)


@pytest.mark.parametrize(("name", "at", "shape"), OBJECTS)
def test_an_extra_key_is_found_in_every_object(name: str, at: Path, shape: Shape) -> None:
    assert shape["keys"]
    inner: Any = full(name)
    for step in at:
        inner = inner[step]
    assert problems(planted(full(name), at, {**inner, "extra": 1}), load(name)["answer"])


@pytest.mark.parametrize(("name", "at", "shape"), KEYS)
def test_a_missing_key_is_found_wherever_it_was(name: str, at: Path, shape: Shape) -> None:
    inner: Any = full(name)
    for step in at[:-1]:
        inner = inner[step]
    rest = {key: value for key, value in inner.items() if key != at[-1]}
    assert shape["type"] in WRONG
    assert problems(planted(full(name), at[:-1], rest), load(name)["answer"])


@pytest.mark.parametrize("name", SEED_NAMES)
def test_the_checker_reads_every_pattern(name: str) -> None:
    answer = load(name)["answer"]
    patterned = [(at, s) for at, s in places(full(name), answer) if "pattern" in s]
    for at, _ in patterned:
        assert problems(planted(full(name), at, "not of this form"), answer)
