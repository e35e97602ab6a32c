"""The admin writes of a client against a real server: done once, whatever answer was lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from farebox.client import ApiError, AsyncClient, Client, KeyCreate, WorkspaceCreate
from tests.client.faults import PATIENT, AsyncFaultyTransport, Faults, FaultyTransport
from tests.support.server import RunningServer
from tests.support.sign_in import sign_in_by_link

ACME = WorkspaceCreate(name="Acme", plan="gold", timezone="Europe/Berlin")
LOST = "lost answer"


def open_client(shop: RunningServer, *plan: str) -> Client:
    faults = Faults(shop, plan)
    transport = FaultyTransport(faults)
    return Client(shop.url, shop.token, retry=PATIENT, transport=transport, sleep=faults.sleep)


def works(shop: RunningServer, key: str | None) -> bool:
    """Whether the server takes the key."""
    assert key is not None
    answer = shop.client.get(f"{shop.url}/user", headers={"x-api-key": key})
    assert answer.status_code in {httpx.codes.OK, httpx.codes.UNAUTHORIZED}
    return answer.status_code == httpx.codes.OK


def listed(shop: RunningServer, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.call("GET", f"/admin/v1{path}?limit=100").json()["data"]
    return found


def test_a_sign_up_makes_all_that_a_customer_needs(shop: RunningServer) -> None:
    with open_client(shop) as client:
        workspace = client.admin.create_workspace(ACME)
        made = client.admin.create_key(workspace.profile_id, KeyCreate(name="Production"))
        topup = client.admin.grant(workspace.profile_id, "12.000001")
        promotion = client.admin.grant(
            workspace.profile_id,
            5,
            kind="promotion",
            expires_at=datetime(2100, 1, 1, tzinfo=UTC),
            priority=3,
        )
    assert (workspace.name, workspace.timezone, workspace.status) == (
        "Acme",
        "Europe/Berlin",
        "active",
    )
    assert made.name == "Production"
    assert works(shop, made.key)
    assert topup.credits == Decimal("12.000001")
    assert (promotion.kind, promotion.priority, promotion.expires_at) == (
        "promotion",
        3,
        "2100-01-01T00:00:00.000Z",
    )


def test_a_lost_answer_makes_nothing_twice(shop: RunningServer) -> None:
    before = len(listed(shop, "/workspaces"))
    with open_client(shop, LOST, LOST, "none", LOST) as client:
        workspace = client.admin.create_workspace(ACME)
        topup = client.admin.grant(workspace.profile_id, 7)
    assert len(listed(shop, "/workspaces")) == before + 1
    grants = listed(shop, f"/workspaces/{workspace.profile_id}/grants")
    assert [(g["grant_id"], g["credits"]) for g in grants if g["kind"] == "topup"] == [
        (topup.grant_id, 7)
    ]


def test_a_key_whose_secret_was_lost_is_replaced_by_one_that_is_known(
    shop: RunningServer,
) -> None:
    """The lost one is ended: nobody has it, and nobody shall find it."""
    with open_client(shop, "none", LOST, "none", LOST) as client:
        profile_id = client.admin.create_workspace(ACME).profile_id
        made = client.admin.create_key(profile_id, KeyCreate(name="Production"))
    assert works(shop, made.key)
    keys = {k["key_id"]: k for k in listed(shop, f"/workspaces/{profile_id}/keys")}
    assert made.name == "Production"
    assert [k["key_id"] for k in keys.values() if k["status"] == "active"] == [made.key_id]
    assert made.rotated_from in keys


def test_a_rotation_lets_the_old_key_work_on_for_the_overlap(shop: RunningServer) -> None:
    with open_client(shop, "none", "none", LOST) as client:
        profile_id = client.admin.create_workspace(ACME).profile_id
        first = client.admin.create_key(profile_id)
        second = client.admin.rotate_key(profile_id, first.key_id, overlap_seconds=3_600)
        assert works(shop, first.key)
        assert works(shop, second.key)
        third = client.admin.rotate_key(profile_id, second.key_id)
        assert not works(shop, second.key)
        client.admin.revoke_key(profile_id, third.key_id)
        client.admin.revoke_key(profile_id, third.key_id)
        assert not works(shop, third.key)


def test_a_link_that_was_lost_on_its_way_is_replaced_by_another(shop: RunningServer) -> None:
    with open_client(shop, "none", "none", LOST) as client:
        profile_id = client.admin.create_workspace(ACME).profile_id
        first = client.admin.create_link(profile_id, "view")
        second = client.admin.create_link(profile_id, "manage", expires_in_seconds=60)
        kept = [
            client.admin.create_link(profile_id, "view", idempotency_key="my link")
            for _ in range(2)
        ]
    assert (first.role, second.role) == ("view", "manage")
    urls = [link.url for link in (first, second, kept[0])]
    assert all(url is not None and f"{shop.url}/dashboard/link#lnk_" in url for url in urls)
    assert len(set(urls)) == len(urls)
    assert (kept[1].link_id, kept[1].url) == (kept[0].link_id, None)


def test_links_are_revoked_together_also_when_the_answer_is_lost(shop: RunningServer) -> None:
    with open_client(shop, "none", "none", LOST) as client:
        profile_id = client.admin.create_workspace(ACME).profile_id
        url = client.admin.create_link(profile_id, "view").url
        client.admin.revoke_links(profile_id)
        again = client.admin.create_link(profile_id, "view").url
    assert url is not None
    assert again is not None
    assert sign_in_by_link(url).status == httpx.codes.UNAUTHORIZED
    assert sign_in_by_link(again).status == httpx.codes.SEE_OTHER


def test_an_imported_key_is_never_replaced(shop: RunningServer) -> None:
    with open_client(shop, "none", LOST) as client:
        profile_id = client.admin.create_workspace(ACME).profile_id
        client.admin.create_key(profile_id, KeyCreate(key="imported-key-of-acme"))
    assert works(shop, "imported-key-of-acme")
    assert len(listed(shop, f"/workspaces/{profile_id}/keys")) == 1


def test_an_idempotency_key_of_ones_own_holds_over_a_restart_of_the_program(
    shop: RunningServer,
) -> None:
    made = []
    for _ in range(2):
        with open_client(shop) as client:
            workspace = client.admin.create_workspace(ACME, idempotency_key="signup-1/workspace")
            made.append(
                client.admin.create_key(workspace.profile_id, idempotency_key="signup-1/key")
            )
    assert made[0].key_id == made[1].key_id
    assert works(shop, made[0].key)
    assert made[1].key is None
    with open_client(shop) as client, pytest.raises(ApiError) as other:
        client.admin.create_workspace(
            WorkspaceCreate(name="Other", plan="gold"), idempotency_key="signup-1/workspace"
        )
    assert (other.value.status, other.value.code, other.value.attempts) == (422, 42203, 1)
    for wrong in ("", "x" * 256, "a\nb", "ä"):
        with open_client(shop) as client, pytest.raises(ValueError, match="1 to 255"):
            client.admin.create_workspace(ACME, idempotency_key=wrong)


def test_an_error_tells_what_the_server_told(shop: RunningServer) -> None:
    with open_client(shop) as client:
        with pytest.raises(ApiError) as unknown:
            client.admin.create_key(999_999)
        assert (unknown.value.status, unknown.value.code) == (404, 40401)
        assert unknown.value.message == "There is no such workspace."
        with pytest.raises(ValueError, match="key_id must be an id"):
            client.admin.revoke_key(1, "../../tokens/tok_1")


def test_a_token_of_the_wrong_scope_is_told_so(shop: RunningServer) -> None:
    token = shop.make("/tokens", {"name": "Gateway", "scope": "meter"})["token"]
    with Client(shop.url, token) as client, pytest.raises(ApiError) as refused:
        client.admin.create_workspace(ACME)
    assert refused.value.status == httpx.codes.FORBIDDEN
    with Client(shop.url, token + "x") as client, pytest.raises(ApiError) as unknown:
        client.record_all([])
    assert unknown.value.status == httpx.codes.UNAUTHORIZED


def test_an_event_loop_does_the_same(shop: RunningServer) -> None:
    async def main() -> None:
        faults = Faults(shop, ["none", LOST, LOST, LOST])
        async with AsyncClient(
            shop.url,
            shop.token,
            retry=PATIENT,
            transport=AsyncFaultyTransport(faults),
            sleep=faults.async_sleep,
        ) as client:
            profile_id = (await client.admin.create_workspace(ACME)).profile_id
            first = await client.admin.create_key(profile_id)
            second = await client.admin.rotate_key(profile_id, first.key_id)
            assert works(shop, second.key)
            assert not works(shop, first.key)
            await client.admin.revoke_key(profile_id, second.key_id)
            assert not works(shop, second.key)
            link = await client.admin.create_link(profile_id, "view")
            assert link.url is not None
            await client.admin.revoke_links(profile_id)
            assert sign_in_by_link(link.url).status == httpx.codes.UNAUTHORIZED
            topup = await client.admin.grant(profile_id, 7)
            assert topup.credits == 7

    asyncio.run(main())
