"""Recalls between nodes: who has run short is heard by all of them, once, and for a while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.engine.read_ahead import Scope
from farebox.engine.recalls import KEPT_MS, TOLD_WITHIN_MS
from tests.support.homes import Homes
from tests.support.nodes import RENEW_MS, Fleet, Node, want


@pytest.fixture
def fleet(homes: Homes) -> Iterator[Fleet]:
    with Fleet(homes, 3) as made:
        made.stock()
        yield made


def recall(node: Node, profile_id: int, *, needs: int = 0) -> int:
    """Recall a workspace, as a draw does that finds nothing; how often it was begun."""
    begun = 0

    def work(commit_id: int) -> None:
        nonlocal begun
        begun += 1
        node.session.recalls.ask(profile_id, 99, node.now_ms)
        if needs:
            node.session._held.need(needs)
        node.session.commit(commit_id, node.now_ms)

    node.session.run(Scope(alone=frozenset([profile_id]), shared=frozenset({needs} - {0})), work)
    return begun


@pytest.mark.parametrize("ahead_ms", [200, 3_600_000])
def test_a_recall_comes_to_every_node_whatever_their_clocks_say(
    fleet: Fleet, ahead_ms: int
) -> None:
    first, second, third = fleet.nodes
    third.clock.advance(ahead_ms)
    for number, node in enumerate(fleet.nodes):
        node.draw(number + 1, want(1), want(2))
    recall(third, 2)
    second.renew()
    recall(first, 1)
    second.renew()
    assert second.draw(2, is_old=True).recalled == [1, 2]
    second.renew()
    assert second.draw(2, is_old=True).recalled == []


def test_a_recall_that_is_committed_after_a_later_one_is_told(fleet: Fleet) -> None:
    first, second, _ = fleet.nodes
    second.draw(2, want(1), want(2))
    recall(first, 1)
    second.renew()
    fleet.home.plant("insert into recalls select 2, at_ms - 1000 from recalls")
    second.renew()
    assert second.draw(2, is_old=True).recalled == [1, 2]


def test_a_recall_is_told_though_its_transaction_began_anew(fleet: Fleet) -> None:
    first, second, _ = fleet.nodes
    second.draw(2, want(1))
    assert recall(first, 1, needs=2) == 2
    second.renew()
    assert second.draw(2, is_old=True).recalled == [1]


def test_what_every_node_was_told_is_forgotten(fleet: Fleet) -> None:
    first, second, _ = fleet.nodes
    second.draw(2, want(1))
    recall(first, 1)
    recall(first, 2)
    fleet.home.plant(f"update recalls set at_ms = at_ms - {KEPT_MS} where profile_id = 1")
    second.renew()
    second.draw(2, is_old=True)
    assert second.session.recalls._asked
    fleet.pass_renewals(1 + TOLD_WITHIN_MS // RENEW_MS)
    assert not second.session.recalls._asked
    assert not second.session.recalls._told
    assert fleet.select("select profile_id from recalls") == [(2,)]
