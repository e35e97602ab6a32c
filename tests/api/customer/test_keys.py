"""The list of keys: the newest first, revoked ones included, and never a secret."""

from __future__ import annotations

import pytest

from farebox.core.instant import to_iso_ms
from tests.support.shop import Shop

FIELDS = {
    "key_id",
    "name",
    "masked_authentication",
    "user_id",
    "created_at",
    "last_used",
    "expires_at",
    "status",
    "rotated_from",
}


def test_all_keys_of_the_workspace_are_listed_with_their_state(shop: Shop) -> None:
    shop.harness.call("workspaces.change", profile_id=shop.profile_id, timezone="Asia/Kathmandu")
    shop.harness.settle()
    shop.harness.advance(minutes=1)
    expires_at = to_iso_ms(shop.harness.now_ms + 60_000)
    expiring, _ = shop.make_key(name="Soon", expires_at=expires_at)
    shop.harness.advance(minutes=1)
    shop.harness.call("keys.revoke", profile_id=shop.profile_id, key_id=shop.key_id)
    newest, key = shop.make_key()
    shop.use(time_ms=shop.harness.now_ms - 5)
    shop.use(time_ms=shop.harness.now_ms - 60_000)
    found = shop.api.data("/api_keys", key)
    assert [one["key_id"] for one in found] == [newest, expiring, shop.key_id]
    assert {name for one in found for name in one} == FIELDS
    assert [one["status"] for one in found] == ["active", "expired", "revoked"]
    assert [one["last_used"] for one in found] == [None, None, "2026-05-05 17:46:59.995"]
    assert [one["created_at"] for one in found] == [
        "2026-05-05 17:47:00.000",
        "2026-05-05 17:46:00.000",
        "2026-05-05 17:45:00.000",
    ]
    assert found[1]["expires_at"] == "2026-05-05 17:47:00.000"
    assert found[1]["name"] == "Soon"
    mask = found[0]["masked_authentication"]
    assert mask == key[0] + "•" * 16 + key[-3:]


def test_a_rotated_key_names_the_one_it_replaces(shop: Shop) -> None:
    shop.harness.clock.advance(1)
    made = shop.harness.call(
        "keys.rotate", profile_id=shop.profile_id, key_id=shop.key_id, overlap_seconds=60
    )
    newest, _ = shop.api.data("/api_keys", made.key)
    assert newest["rotated_from"] == shop.key_id


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [({}, {}), ({"profile_id": None}, {}), ({"profile_id": 1}, {"profile_id": 1})],
)
def test_metadata_echoes_the_filters(
    shop: Shop, sent: dict[str, int], echoed: dict[str, int]
) -> None:
    answer = shop.api.post("/api_keys", shop.key, sent).json()
    assert answer["metadata"] == {"filters": echoed}
    assert answer.keys() == {"metadata", "data"}
