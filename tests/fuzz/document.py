"""The document that the cases are made from: all operations, as the server tells them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import BaseSchema, Case, CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from farebox import __version__
from farebox.contract.openapi import Settings, openapi_document
from farebox.contract.operations import OPERATIONS

# What is too large, or is there already, is as refused as what is wrong.
REFUSED = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]
Test = Callable[..., None]


def document() -> dict[str, Any]:
    """The OpenAPI document in English."""
    made = openapi_document(OPERATIONS, "en", Settings(__version__))
    told: dict[str, Any] = json.loads(msgspec.json.encode(made))
    return told


def schema(*, right_only: bool = False) -> BaseSchema:
    """Where cases come from: right and wrong ones with all bounds, or a few right ones."""
    config = SchemathesisConfig.from_dict(
        {
            # Credentials are the tests' own matter.
            "generation": {
                "mode": "positive" if right_only else "all",
                "with-security-parameters": False,
            },
            "phases": {"coverage": {"enabled": not right_only}},
            "checks": {
                "ignored_auth": {"enabled": False},
                # What a schema can't tell, such as which plans there are, is refused with 422.
                "positive_data_acceptance": {"enabled": False},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
        }
    )
    return schemathesis.openapi.from_dict(document(), config=config)


def cases(count: int, *, repeatable: bool = True) -> Callable[[Test], Test]:
    """How many random cases an operation gets, beside those of its examples and bounds.

    Those that can't be repeated print what repeats them when they fail.
    """
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=repeatable,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def check(case: Case[Any], response: httpx.Response, *, is_refused: bool) -> None:
    """The answer is as documented; `is_refused`: what is wrong in the case is seen."""
    excluded: list[CheckFunction] = [] if is_refused else [negative_data_rejection]
    case.validate_response(response, excluded_checks=excluded)
