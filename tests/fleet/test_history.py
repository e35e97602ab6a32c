"""The check of histories finds what it is there to find."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fleet.history import History, Line, Op, Outcome


def line(op: Op, name: str, sent: float, outcome: Outcome, *, node: int = 0) -> Line:
    return Line(op, name, node, sent, sent + 0.1, outcome)


def admitted(*names: str, sent: float = 0.0) -> list[Line]:
    return [line("authorize", name, sent, "admitted") for name in names]


def test_what_was_acknowledged_must_be_in_the_log_once() -> None:
    history = History([*admitted("a"), line("settle", "a", 1, "done")])
    history.check_log(Counter(["a"]))
    for logged in ([], ["a", "a"], ["a", "b"]):
        with pytest.raises(AssertionError):
            history.check_log(Counter(logged))


def test_an_unknown_outcome_may_be_either() -> None:
    history = History([*admitted("a"), line("settle", "a", 1, "unknown")])
    history.check_log(Counter(["a"]))
    history.check_log(Counter())


def test_what_was_voided_is_not_in_the_log() -> None:
    history = History([*admitted("a"), line("void", "a", 1, "done")])
    with pytest.raises(AssertionError):
        history.check_log(Counter(["a"]))


def test_nothing_ends_in_two_ways() -> None:
    ends = [line("settle", "a", 1, "done"), line("void", "a", 2, "done")]
    with pytest.raises(AssertionError):
        History([*admitted("a"), *ends]).check_answers()
    with pytest.raises(AssertionError):
        History([line("authorize", "a", 0, "wrong")]).check_answers()


def test_the_most_at_once_counts_until_a_void_is_sent() -> None:
    lines = [*admitted("a", "b"), line("void", "a", 1, "unknown"), *admitted("c", sent=1.0)]
    history = History(lines)
    assert history.most_at_once(60, is_returning=False) == {0: 2}
    assert History([*lines, *admitted("d", sent=2.0)]).most_at_once(60, is_returning=False) == {
        0: 3
    }


def test_a_repeated_admission_counts_once() -> None:
    history = History([*admitted("a"), *admitted("a", sent=1.0)])
    assert history.most_at_once(60, is_returning=False) == {0: 1}
    assert history.admitted() == {0: {"a"}}


def test_a_hold_of_credits_ends_when_it_expires_unless_it_was_settled() -> None:
    history = History([*admitted("a", "b"), *admitted("c", "d", sent=6.0)])
    assert history.most_at_once(5, is_returning=True) == {0: 2}
    assert history.most_at_once(5, is_returning=False) == {0: 4}
    settled = History([*history.lines, line("settle", "a", 1, "done")])
    assert settled.most_at_once(5, is_returning=True) == {0: 3}


def test_a_refusal_is_early_while_units_are_left() -> None:
    refusals = [
        line("authorize", f"r{n}", sent, "refused", node=1) for n, sent in enumerate((1, 2))
    ]
    lines = [*admitted("a"), *refusals, *admitted("b", sent=3.0)]
    count, seconds = History(lines).early(2)
    assert (count, round(seconds, 1)) == (2, 1.1)
    assert History(lines).early(1) == (0, 0.0)


def test_a_refusal_while_a_void_is_on_its_way_is_not_early() -> None:
    void = Line("void", "a", 0, 0.5, 1.5, "done")
    lines = [*admitted("a"), void, line("authorize", "r", 1, "refused")]
    assert History(lines).early(1) == (0, 0.0)
    assert History([*lines, line("authorize", "s", 2, "refused")]).early(1)[0] == 1
