"""The same as `test_documented`, at length and anew each time.

To make the cases takes seconds, so without the long lane this isn't even collected (conftest.py).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from schemathesis import Case

from tests.fuzz.document import cases, check, schema
from tests.fuzz.world import World, exercise

SCHEMA = schema()


@pytest.mark.long
@pytest.mark.timeout(1_800)
@SCHEMA.parametrize()
@cases(600, repeatable=False)
def test_an_operation_keeps_to_its_document_at_length(
    case: Case[Any], world: World, answers: Counter[int]
) -> None:
    """Blanks around a text don't count, which no schema can tell."""
    check(case, exercise(case, world, answers), is_refused=False)
