"""Without the right credentials nothing is told and nothing is done, whatever else is sent."""

from __future__ import annotations

from typing import Any

from schemathesis import Case

from farebox.core.key import checksum
from tests.fuzz.document import cases, schema
from tests.fuzz.world import World, operation_of

SCHEMA = schema(right_only=True)
SECURED = SCHEMA.include(func=lambda context: bool(context.operation.definition.raw["security"]))


def forged(prefix: str) -> str:
    """A secret that nobody made, with the right checksum."""
    body = prefix + "0" * 32
    return body + checksum(body)


def wrong_secrets(world: World, own: str, prefix: str) -> list[dict[str, str]]:
    """What is no credential anywhere."""
    return [
        {},
        {"Authorization": own},
        {"Authorization": f"Basic {own}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {forged(prefix)}"},
        {"Authorization": f"Bearer {own}x"},
        {"Authorization": f"Bearer {own[:-1]}"},
        {"Authorization": f"Bearer {own.upper()}"},
        {"Cookie": f"token={own}"},
        {"X-API-Key": world.token_id},
    ]


@SECURED.parametrize()
@cases(2)
def test_a_call_without_credentials_is_refused(case: Case[Any], world: World) -> None:
    world.fit(case)
    operation = operation_of(case)
    before = world.recorded()
    if operation.security in {"key", "forwarded"}:
        refused = wrong_secrets(world, world.key, "fbx_")
        refused += [{"X-API-Key": key} for key in world.ended_keys]
        refused += [
            {"Authorization": f"Bearer {token}"}
            for token in (world.meter_token, world.api.admin_token)
        ]
        forbidden = [{"X-API-Key": world.suspended_key}]
    else:
        refused = wrong_secrets(world, world.api.admin_token, "fbt_")
        refused += [{"Authorization": f"Bearer {world.revoked_token}"}]
        refused += [{"Authorization": f"Bearer {world.key}"}, {"X-API-Key": world.api.admin_token}]
        forbidden = []
        if operation.security == "admin":
            forbidden = [{"Authorization": f"Bearer {world.meter_token}"}]
    for headers_of, status in ((refused, 401), (forbidden, 403)):
        told = set()
        for headers in headers_of:
            response = world.send(case, headers)
            assert response.status_code == status, (headers, response.text)
            case.validate_response(response)
            if response.content:  # HEAD has none
                told.add(response.json().get("code", response.json().get("error_ref")))
        # A key that is missing is told so; one that doesn't work isn't told why.
        assert told <= {40101, 40102, "ERR-40101", "ERR-40102"} or len(told) <= 1
    assert world.recorded() == before
