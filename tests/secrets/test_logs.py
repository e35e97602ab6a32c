"""A log line is one line of JSON, and holds no secret of our form, wherever one comes from."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

from farebox.core.key import KEY_PREFIX, LINK_PREFIX, TOKEN_PREFIX, mint
from farebox.logs import JsonFormatter, set_up_logging

CHANCE = random.Random(3)
SECRETS = [mint(prefix, CHANCE.randrange).reveal() for prefix in (KEY_PREFIX, TOKEN_PREFIX)]
SECRETS.append(LINK_PREFIX + "A-b_" * 20)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger as it was before a test, which sets it up."""
    logger = logging.getLogger()
    handlers, level, uvicorn = logger.handlers[:], logger.level, logging.getLogger("uvicorn").level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.getLogger("uvicorn").setLevel(uvicorn)


def line(message: str, *arguments: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What is written of a record."""
    record = logging.getLogger("farebox.test").makeRecord(
        "farebox.test", logging.ERROR, "", 0, message, arguments, more.pop("exc_info", None), **more
    )
    written = JsonFormatter().format(record)
    assert "\n" not in written
    told: dict[str, Any] = json.loads(written)
    return told


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_struck_out_of_messages_fields_and_tracebacks(secret: str) -> None:
    assert line("a key %s came", secret)["message"] == "a key *** came"
    assert line("x", extra={"internal": f"with {secret}!", "n": 3})["internal"] == "with ***!"
    assert line("x", extra={"told": {"keys": [secret]}})["told"] == {"keys": ["***"]}
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int(secret)
    told = line("it failed", exc_info=(caught.type, caught.value, caught.tb))
    assert secret not in told["error"]
    assert "base 10: '***'" in told["error"]


def test_what_is_no_utf_8_is_written_too(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("info")
    root.warning("odd \udcff %s", SECRETS[0], extra={"paths": ["a\ud800b"]})
    said = capsys.readouterr().err
    told = json.loads(said)
    assert told["message"] == "odd \\udcff ***"
    assert told["paths"][0] == "a\\ud800b"


def test_below_its_level_nothing_is_written(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("warning")
    root.info("no")
    logging.getLogger("uvicorn.error").info("no")
    root.warning("yes")
    assert [json.loads(text)["message"] for text in capsys.readouterr().err.splitlines()] == ["yes"]
