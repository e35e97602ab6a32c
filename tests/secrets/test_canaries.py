"""The search finds what it is there to find, and takes no mask and no digest for a secret."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from urllib.parse import quote

import pytest

from farebox.core.key import KEY_PREFIX, digest, mask, mint
from tests.secrets.canaries import Search, foreign_key

CHANCE = random.Random(11)
MINTED = mint(KEY_PREFIX, CHANCE.randrange).reveal()
FOREIGN = foreign_key(CHANCE)


@pytest.fixture
def search() -> Search:
    made = Search()
    made.add("minted", MINTED)
    made.add("foreign", FOREIGN)
    return made


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda text: text,
    "upper": lambda text: text.upper(),
    "lower": lambda text: text.lower(),
    "hex": lambda text: text.hex().encode(),
    "HEX": lambda text: text.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 after 1": lambda text: base64.b64encode(b"x" + text),
    "base64 after 2": lambda text: base64.b64encode(b"xy" + text + b"z"),
    "base64 of a URL": base64.urlsafe_b64encode,
    "url": lambda text: quote(text, safe="").encode(),
    "all of it as in a URL": lambda text: "".join(f"%{byte:02x}" for byte in text).encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "secret"), [("minted", MINTED), ("foreign", FOREIGN)])
def test_any_run_of_8_characters_is_found_in_any_form(
    search: Search, form: str, name: str, secret: str
) -> None:
    for start in range(4, len(secret) - 8 + 1):
        run = secret[start : start + 8].encode()
        assert search.found(b"\0 some text \xff" + FORMS[form](run) + b" and more") == {name}


def test_a_mask_a_digest_and_a_short_run_are_no_trace(search: Search) -> None:
    for secret in (MINTED, FOREIGN):
        data = b"\0".join(
            [
                mask(secret).encode(),
                digest(secret),
                digest(secret).hex().encode(),
                base64.b64encode(digest(secret)),
                secret[4:11].encode(),
                b"fbx_***",
            ]
        )
        assert search.found(data) == set()
