"""Whatever is sent, right or wrong, every operation answers as its document says, and never 5xx.

The cases come from the document: its examples, the bounds of each value, each thing that can be
wrong with it, and what is drawn at random.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
from schemathesis import Case

from tests.fuzz.document import cases, check, document, schema
from tests.fuzz.world import World, exercise, is_wrong, operation_of

SCHEMA = schema()


@SCHEMA.parametrize()
@cases(40)
def test_an_operation_keeps_to_its_document(
    case: Case[Any], world: World, answers: Counter[int]
) -> None:
    response = exercise(case, world, answers)
    check(case, response, is_refused=not is_taken_in_part(case, response))


def is_taken_in_part(case: Case[Any], response: httpx.Response) -> bool:
    """Where what is wrong is not the whole: a row among rows, or an empty filter, which is none."""
    if case.path == "/v1/requests" and response.is_success and is_wrong(case):
        assert response.json()["rejected"]
        return True
    is_lenient = operation_of(case).is_vendor_shaped
    return is_lenient and isinstance(case.body, dict) and "" in case.body.values()


def test_the_document_is_the_one_that_is_served(world: World) -> None:
    assert world.api.request("GET", "/openapi/en.json").json() == document()
