"""Calls with an Idempotency-Key: done once, answered alike each time, without the secret."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from farebox.core.errors import IDEMPOTENCY_MISMATCH, FareboxError
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.engine.messages import Answered, Call, Failed
from tests.support.homes import Home
from tests.support.worlds import MICRO, Give, Made, World


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        made.workspace()
        yield made


def give(world: World, credits: int, key: str | None, actor: str = "test") -> int:
    """The grant that the answer names."""
    arguments = msgspec.msgpack.encode(Give(1, credits * MICRO))
    (reply,) = world.handle(Call(0, "test.give", arguments, actor, key))
    assert isinstance(reply, Answered)
    return msgspec.msgpack.decode(reply.answer, type=Made).number


def given(world: World) -> int:
    ((count,),) = world.select("select count(*) from grants where kind = 'topup'")
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("is_restarted", [False, True])
def test_the_same_call_again_is_answered_alike_and_done_once(
    world: World, is_restarted: bool
) -> None:
    first = give(world, 5, "key")
    assert give(world, 7, "other") != first
    if is_restarted:
        world.reopen()
    assert give(world, 5, "key") == first
    assert given(world) == 2


def test_without_a_key_each_call_counts(world: World) -> None:
    assert give(world, 5, None) != give(world, 5, None)
    assert given(world) == 2


def test_the_same_key_with_another_call_is_refused(world: World) -> None:
    give(world, 5, "key")
    arguments = msgspec.msgpack.encode(Give(1, 6 * MICRO))
    (reply,) = world.handle(Call(0, "test.give", arguments, "test", "key"))
    assert isinstance(reply, Failed)
    assert reply.code == IDEMPOTENCY_MISMATCH.code
    assert given(world) == 1


def test_a_key_is_its_actors_own(world: World) -> None:
    assert give(world, 5, "key", "one") != give(world, 5, "key", "two")
    assert given(world) == 2


def test_a_call_that_was_refused_may_be_tried_again(world: World) -> None:

    def create() -> object:
        fields = {"nickname": "Bo", "email": "bo@a.example"}
        return world.call("users.create", idempotency_key="key", profile_id=1, **fields)

    with pytest.raises(FareboxError):
        create()
    world.call("workspaces.change", profile_id=1, licences=2)
    assert create() == create()


def test_the_secret_is_in_the_first_answer_only(world: World) -> None:
    first = world.call("keys.create", profile_id=1, idempotency_key="key")
    again = world.call("keys.create", profile_id=1, idempotency_key="key")
    assert first.key is not None
    assert (again.key, again.key_id) == (None, first.key_id)
    assert first.key not in "".join(
        a for (a,) in world.select("select answer from idempotency_keys")
    )


def test_an_answer_is_forgotten_after_thirty_days_and_not_before(world: World) -> None:
    first = give(world, 5, "key")
    world.clock.advance(30 * MS_PER_DAY - MS_PER_HOUR)
    give(world, 1, "makes it look for old ones")
    assert give(world, 5, "key") == first
    world.clock.advance(2 * MS_PER_HOUR)
    give(world, 1, "makes it look once more")
    assert give(world, 5, "key") != first
