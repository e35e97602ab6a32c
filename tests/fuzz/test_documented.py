"""Whatever is sent, right or wrong, every operation answers as its document says, and never 5xx.

The cases come from the document: its examples, the bounds of each value, each thing that can be
wrong with it, and what is drawn at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from schemathesis import Case, CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.fuzz.document import cases, document, schema
from tests.fuzz.world import World, is_wrong, operation_of

SCHEMA = schema()
ERROR_STATUS = 400


@pytest.fixture
def answers() -> Iterator[Counter[int]]:
    """How often each status was answered to an operation's cases; some have succeeded."""
    counted: Counter[int] = Counter()
    yield counted
    assert any(status < ERROR_STATUS for status in counted), f"no call succeeded: {counted}"


@SCHEMA.parametrize()
@cases(40)
def test_an_operation_keeps_to_its_document(
    case: Case[Any], world: World, answers: Counter[int]
) -> None:
    response = exercise(case, world, answers)
    check(case, response, is_refused=not is_taken_in_part(case, response))


@pytest.mark.long
@pytest.mark.timeout(1_800)
@SCHEMA.parametrize()
@cases(600, repeatable=False)
def test_an_operation_keeps_to_its_document_at_length(
    case: Case[Any], world: World, answers: Counter[int]
) -> None:
    """Blanks around a text don't count, which no schema can tell."""
    response = exercise(case, world, answers)
    check(case, response, is_refused=False)


def exercise(case: Case[Any], world: World, answers: Counter[int]) -> httpx.Response:
    """The answer to a case with the credentials that it needs."""
    world.fit(case)
    response = world.send(case, world.credentials(operation_of(case).security))
    answers[response.status_code] += 1
    return response


def check(case: Case[Any], response: httpx.Response, *, is_refused: bool) -> None:
    """The answer is as documented; `is_refused`: what is wrong in the case is seen."""
    excluded: list[CheckFunction] = [] if is_refused else [negative_data_rejection]
    case.validate_response(response, excluded_checks=excluded)


def is_taken_in_part(case: Case[Any], response: httpx.Response) -> bool:
    """Where what is wrong is not the whole: a row among rows, or an empty filter, which is none."""
    if case.path == "/v1/requests" and response.is_success and is_wrong(case):
        assert response.json()["rejected"]
        return True
    is_lenient = operation_of(case).is_vendor_shaped
    return is_lenient and isinstance(case.body, dict) and "" in case.body.values()


def test_the_document_is_the_one_that_is_served(world: World) -> None:
    assert world.api.request("GET", "/openapi/en.json").json() == document()
