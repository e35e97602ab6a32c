"""Faults: 503 and try again; a retry with the same ids settles what became of the first try."""

from __future__ import annotations

from pathlib import Path

import pytest

from farebox.engine import follower
from farebox.engine.link import Link, unavailable
from farebox.engine.messages import Message, Record, Reply
from farebox.store.sqlite.database import open_writer
from tests.api.metering.gateway import EVENTS, Gateway
from tests.support.api import DirectLink
from tests.support.recorders import nobody
from tests.support.truth import differences

ROUTES = ("/v1/requests", EVENTS)


def body(gateway: Gateway, path: str) -> object:
    """Two good rows."""
    if path == EVENTS:
        return [gateway.event(id="a"), gateway.event(id="b")]
    return {"requests": [gateway.row(id="a"), gateway.row(id="b")]}


@pytest.mark.parametrize("path", ROUTES)
def test_a_store_that_is_gone_is_503_and_a_retry_counts_once(gateway: Gateway, path: str) -> None:
    api = gateway.api
    assert gateway.report()["accepted"] == 0  # the token is in memory now
    api.store.is_gone = True
    for _ in range(2):
        response = api.request("POST", path, token=gateway.token, body=body(gateway, path))
        assert (response.status_code, response.json()["code"]) == (503, 50301)
        assert int(response.headers["retry-after"]) >= 1
    api.store.is_gone = False
    for _ in range(2):
        assert api.request("POST", path, token=gateway.token, body=body(gateway, path)).is_success
    assert gateway.counted()[0][:3] == (2, 2, 2)


@pytest.mark.parametrize("path", ROUTES)
def test_a_token_is_never_told_401_while_the_store_is_gone(
    gateway: Gateway, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "FRESH_SECONDS_MAX", -1.0)
    gateway.api.store.is_gone = True
    for token in (gateway.token, "fbt_unknown-to-everyone"):
        response = gateway.api.request("POST", path, token=token, body=body(gateway, path))
        assert response.status_code == 503


def test_an_unknown_key_is_no_rejection_while_the_store_is_gone(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been made a moment ago: the whole call is put off, nothing of it is recorded."""
    monkeypatch.setattr(follower, "FRESH_SECONDS_MAX", 3600.0)
    gateway.report()
    gateway.api.store.is_gone = True
    response = gateway.send(gateway.row(), gateway.row(id="2", key_id="key_of_no_one"))
    assert response.status_code == 503


@pytest.mark.parametrize("path", ROUTES)
def test_an_answer_that_was_lost_after_the_commit_is_settled_by_a_retry(
    gateway: Gateway, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = gateway.api.context.link
    assert isinstance(link, DirectLink)
    ask = link._ask_now

    def ask_and_lose(message: Message) -> Reply:
        reply = ask(message)
        if isinstance(message, Record):
            raise unavailable("the recorder went away")  # noqa: EM101, TRY003 - not to be formatted
        return reply

    with monkeypatch.context() as patch:
        patch.setattr(link, "_ask_now", ask_and_lose)
        response = gateway.api.request("POST", path, token=gateway.token, body=body(gateway, path))
        assert (response.status_code, response.json()["code"]) == (503, 50301)
    assert gateway.counted()[0][:3] == (2, 2, 2)
    response = gateway.api.request("POST", path, token=gateway.token, body=body(gateway, path))
    if path == EVENTS:
        assert response.status_code == 204
    else:
        assert response.json() == {
            "accepted": 0,
            "duplicates": 2,
            "conflicts": [],
            "rejected": [],
        }
    assert gateway.counted()[0][:3] == (2, 2, 2)


@pytest.fixture
def strict(gateway: Gateway) -> Gateway:
    """A database with a rule that the packer doesn't know: no path /forbidden."""
    writer = open_writer(gateway.harness.path)
    writer.connection.execute(
        "create trigger strict before insert on requests when new.path = '/forbidden'"
        " begin select raise(abort, 'forbidden'); end"
    )
    writer.close()
    gateway.harness.recorder.close()  # it opens the database anew, with the rule
    return gateway


def test_a_row_that_breaks_a_rule_of_the_database_is_rejected_alone(strict: Gateway) -> None:
    rows = [
        strict.row(id="a"),
        strict.row(id="b", path="/forbidden"),
        strict.row(id="c", path="/allowed"),
        strict.row(id=""),
        strict.row(id="d", path="/forbidden"),
    ]
    told = strict.report(*rows)
    assert told["accepted"] == 2
    assert [(r["index"], r["code"]) for r in told["rejected"]] == [
        (1, 42207),
        (3, 40004),
        (4, 42207),
    ]
    again = strict.report(*rows)
    assert (again["accepted"], again["duplicates"], len(again["rejected"])) == (0, 2, 3)
    assert not differences(strict.harness.db)


def test_an_event_that_breaks_a_rule_of_the_database_is_rejected_alone(strict: Gateway) -> None:
    events = [strict.event(id="a"), strict.event(id="b", data={"path": "/forbidden"})]
    response = strict.api.request("POST", EVENTS, token=strict.token, body=events)
    assert response.status_code == 400
    details = response.json()["details"]
    assert details["accepted"] == 1
    assert [(r["index"], r["code"]) for r in details["rejected"]] == [(1, 42207)]
    assert not differences(strict.harness.db)


def test_a_full_queue_is_503_with_its_own_code(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(gateway.api.context.link, "record", fullest().record)
        response = gateway.send(gateway.row())
    assert (response.status_code, response.json()["code"]) == (503, 50302)
    assert int(response.headers["retry-after"]) >= 1
    assert gateway.report(gateway.row())["accepted"] == 1


def fullest() -> Link:
    """A link on which nothing may wait."""
    return Link(Path("farebox.db"), nobody(), rows_waiting_max=0)
