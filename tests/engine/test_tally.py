"""The tally: whoever is told adds up to what all others tell, whatever the order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from farebox.engine.stocks import Wallet
from farebox.engine.tally import LISTENS_MS, TOLD_MAX, Tally
from farebox.engine.telling import Telling

LEASES = (1, 2, 3)
PROFILES = st.integers(1, 4)
STEPS = st.lists(
    st.tuples(st.sampled_from(LEASES), PROFILES, st.integers(0, 3), st.booleans()), max_size=40
)


def renewed(tally: Tally, lease_id: int, process: Telling, wallets: dict[int, Wallet]) -> None:
    """One renewal of a process, as far as it is about this."""
    process.look(wallets)
    tally.hear(lease_id, process.take(wallets))
    holdings, is_first = tally.tell(lease_id, 0)
    process.hear(holdings, is_first=is_first)


def wallets_of(count: int) -> dict[int, Wallet]:
    return {profile_id: Wallet() for profile_id in range(1, count + 1)}


@given(STEPS)
def test_what_is_told_adds_up_to_what_is_held(steps: list[tuple[int, int, int, bool]]) -> None:
    tally, node = Tally(), Counter[int]()
    processes = {lease_id: Telling() for lease_id in LEASES}
    wallets = {lease_id: wallets_of(4) for lease_id in LEASES}
    for lease_id, profile_id, micro, begins_anew in steps:
        if begins_anew:
            tally.end([lease_id])
            wallets[lease_id] = wallets_of(4)
        wallets[lease_id][profile_id].held_micro = micro
        renewed(tally, lease_id, processes[lease_id], wallets[lease_id])
        for told, sum_micro in tally.tell_nodes():
            node[told] = sum_micro
    for lease_id in LEASES * 2:
        renewed(tally, lease_id, processes[lease_id], wallets[lease_id])
    for profile_id in range(1, 5):
        held = {at: wallets[at][profile_id].held_micro for at in LEASES}
        for lease_id in LEASES:
            others = sum(held.values()) - held[lease_id]
            assert processes[lease_id].elsewhere_micro(profile_id) == others


def test_other_nodes_are_told_the_sum_and_that_nothing_is_held_any_more() -> None:
    tally = Tally()
    tally.hear(1, [(7, 5)])
    tally.hear(2, [(7, 3)])
    assert tally.tell_nodes() == [(7, 8)]
    assert tally.tell_nodes() == []
    tally.end([1])
    assert tally.tell_nodes() == [(7, 3)]
    tally.hear(2, [(7, 0)])
    assert tally.tell_nodes() == [(7, 0)]


def test_a_message_is_bounded_and_what_changed_first_is_told_first() -> None:
    tally, process, wallets = Tally(), Telling(), wallets_of(TOLD_MAX + 5)
    for wallet in wallets.values():
        wallet.held_micro = 1
    process.look(wallets)
    wallets[1].held_micro = 2
    process.look(wallets)
    first, rest, none = (process.take(wallets) for _ in range(3))
    assert [len(first), len(rest), len(none)] == [TOLD_MAX, 5, 0]
    assert first[0] == (1, 2)
    tally.tell(2, 0)
    tally.hear(1, first + rest)
    tally.hear(1, [(1, 3)])
    told = [tally.tell(2, 0)[0] for _ in range(3)]
    assert [len(one) for one in told] == [TOLD_MAX, 5, 0]
    assert told[0][0] == (1, 3)
    assert [len(tally.tell_nodes()) for _ in range(3)] == [TOLD_MAX, 5, 0]


def test_nothing_is_told_to_who_is_alone() -> None:
    tally, process, wallets = Tally(), Telling(), wallets_of(1)
    renewed(tally, 1, process, wallets)
    wallets[1].held_micro = 5
    process.look(wallets)
    tally.hear(1, process.take(wallets))
    assert tally.tell(1, 0) == ([], False)


def test_who_was_silent_is_told_all_of_it_again() -> None:
    tally, process = Tally(), Telling()
    process.hear([(7, 5)], is_first=True)
    tally.tell(2, 0)
    tally.forget_old(LISTENS_MS)
    assert tally.tell(2, 0) == ([], False)
    tally.forget_old(LISTENS_MS + 1)
    tally.hear(1, [(8, 1)])
    holdings, is_first = tally.tell(2, LISTENS_MS)
    process.hear(holdings, is_first=is_first)
    assert process.elsewhere_micro(7) == 0
    assert process.elsewhere_micro(8) == 1


def test_a_wallet_that_was_let_go_meanwhile_is_not_told() -> None:
    process, wallets = Telling(), wallets_of(2)
    for wallet in wallets.values():
        wallet.held_micro = 1
    process.look(wallets)
    del wallets[1]
    assert process.take(wallets) == [(2, 1)]
