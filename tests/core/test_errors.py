"""Errors: stable codes, two voices, and messages that can always be filled in."""

from __future__ import annotations

import pytest

from farebox.core import errors
from farebox.core.errors import CATALOGUE, PARAMETERS, ErrorKind, FareboxError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, ErrorKind)]
STATUSES = {400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503}


def test_no_code_and_no_name_stands_for_two_errors() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {kind.code: kind for kind in KINDS} == CATALOGUE


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_five_digits_the_status_first_and_a_sentence(kind: ErrorKind) -> None:
    assert 10_000 <= kind.code <= 99_999
    assert kind.status in STATUSES
    assert str(kind.code).startswith(str(kind.status))
    assert getattr(errors, kind.name.upper()) is kind
    assert kind.message.endswith(".")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_stands_in_the_braces_of_a_message_is_documented(kind: ErrorKind) -> None:
    assert set(kind.parameters) <= set(PARAMETERS)
    assert len(set(kind.parameters)) == len(kind.parameters)
    filled = kind.message.format_map({name: f"<{name}>" for name in kind.parameters})
    for name in kind.parameters:
        assert filled.count(f"<{name}>") == 1
    assert "{" not in filled


def test_every_documented_parameter_is_used() -> None:
    assert {name for kind in KINDS for name in kind.parameters} == set(PARAMETERS)
    assert not set(PARAMETERS) & {"kind", "internal", "details", "retry_after_seconds"}


def test_a_message_without_its_parameters_is_a_fault_of_the_raiser() -> None:
    with pytest.raises(KeyError, match="field"):
        FareboxError(errors.MISSING_FIELD)


def test_the_internal_voice_stays_out_of_the_public_one() -> None:
    error = FareboxError(
        errors.INVALID_FIELD,
        internal="row 17 of the batch",
        details={"index": 17},
        retry_after_seconds=3,
        field="time",
        expected="a time",
    )
    assert str(error) == error.message == "The field 'time' must be a time."
    assert error.internal == "row 17 of the batch"
    assert error.details == {"index": 17}
    assert error.retry_after_seconds == 3
    assert error.params == {"field": "time", "expected": "a time"}


def test_an_error_has_no_details_and_no_wait_unless_they_are_given() -> None:
    error = FareboxError(errors.INTERNAL)
    assert error.details == {}
    assert error.internal == ""
    assert error.retry_after_seconds is None


def test_the_texts_of_429_and_500_are_the_seeds() -> None:
    assert FareboxError(errors.RATE_LIMITED).message == (
        "Request rate limit exceeded. Please wait and try again later."
    )
    assert FareboxError(errors.INTERNAL).message == ("An unexpected error occurred on the server.")
