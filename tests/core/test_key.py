"""Keys: minted ones prove themselves, masks hide, and no secret is shown by accident."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from farebox.core.key import (
    ALPHABET,
    BULLET,
    KEY_LENGTH_MAX,
    KEY_LENGTH_MIN,
    KEY_PREFIX,
    SECRET_PATTERN,
    TOKEN_PREFIX,
    Secret,
    checksum,
    digest,
    holds_secret,
    is_plausible,
    mask,
    mint,
    mint_id,
    strike_out,
)
from tests.core.strategies import quick, thorough

seeds = st.integers(0, 2**32)
printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=600)


def minted(seed: int, prefix: str = KEY_PREFIX) -> str:
    return mint(prefix, random.Random(seed).randrange).reveal()


@given(seeds, st.sampled_from((KEY_PREFIX, TOKEN_PREFIX)))
@quick
def test_a_minted_secret_has_its_grammar(seed: int, prefix: str) -> None:
    secret = minted(seed, prefix)
    assert re.fullmatch(SECRET_PATTERN, secret)
    assert secret.startswith(prefix)
    assert checksum(secret[:-6]) == secret[-6:]
    assert is_plausible(secret)


@given(seeds, st.integers(len(KEY_PREFIX), 41), st.sampled_from(ALPHABET))
@thorough
def test_a_typo_of_one_character_is_found(seed: int, position: int, character: str) -> None:
    key = minted(seed)
    typo = key[:position] + character + key[position + 1 :]
    assert is_plausible(typo) == (typo == key)


@given(seeds, st.integers(len(KEY_PREFIX), 40))
@quick
def test_two_characters_that_changed_places_are_found(seed: int, position: int) -> None:
    key = minted(seed)
    swapped = key[:position] + key[position + 1] + key[position] + key[position + 2 :]
    assert is_plausible(swapped) == (swapped == key)


def test_every_draw_of_a_key_counts() -> None:
    drawn: list[int] = []

    def draw(below: int) -> int:
        drawn.append(below)
        return len(drawn) % below

    key = mint(KEY_PREFIX, draw).reveal()
    assert drawn == [62] * 32
    assert key[4:36] == "".join(ALPHABET[n] for n in range(1, 33))


def test_an_id_is_short_and_drawn() -> None:
    assert mint_id("key_", lambda below: below - 1) == "key_" + "z" * 12
    assert re.fullmatch(r"key_[0-9A-Za-z]{12}", mint_id("key_", random.Random(1).randrange))


@given(printable)
@thorough
def test_a_foreign_key_of_printable_characters_is_plausible(text: str) -> None:
    assume(not text.startswith(KEY_PREFIX))
    assert is_plausible(text) == (KEY_LENGTH_MIN <= len(text) <= KEY_LENGTH_MAX)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seven_c",
        "x" * 513,
        "with space",
        "tab\tin it",
        "line\nin it",
        "délicat-key",
        "nul\0-key-x",
    ],
)
def test_what_can_be_no_key_is_refused_before_any_look_up(text: str) -> None:
    assert not is_plausible(text)


@pytest.mark.parametrize("length", [8, 41, 42, 43, 512])
def test_a_foreign_key_may_have_any_length_within_bounds(length: int) -> None:
    assert is_plausible("x" * length)


@pytest.mark.parametrize("prefix", [KEY_PREFIX, TOKEN_PREFIX])
def test_our_prefix_alone_makes_no_key_ours(prefix: str) -> None:
    assert is_plausible(prefix + "x" * 37)
    assert not is_plausible(prefix + "x" * 38)


@given(printable)
@thorough
def test_a_mask_shows_four_characters_at_most(text: str) -> None:
    masked = mask(text)
    assert len(masked) == 20
    if len(text) < 12:
        assert masked == BULLET * 20
    else:
        assert masked == text[0] + BULLET * 16 + text[-3:]


def test_the_mask_is_that_of_the_seeds() -> None:
    assert mask("0a1b2c3d4e5f6f39") == "0••••••••••••••••f39"


def test_a_digest_is_of_the_whole_key() -> None:
    key = minted(1)
    assert digest(key) == digest(key)
    assert len(digest(key)) == 32
    assert len({digest(key), digest(key[:-1]), digest(key + "x"), digest(key.upper())}) == 4


def test_a_secret_is_shown_by_nothing_but_reveal() -> None:
    secret = Secret("fbx_very_secret")
    assert f"{secret} {secret!r} {[secret]}" == "Secret(***) Secret(***) [Secret(***)]"
    with pytest.raises(TypeError):
        format(secret, ">40")
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == "fbx_very_secret"


@pytest.mark.parametrize("prefix", [KEY_PREFIX, TOKEN_PREFIX])
def test_a_secret_of_ours_is_found_and_struck_out_wherever_it_stands(prefix: str) -> None:
    secret = mint(prefix, random.Random(3).randrange).reveal()
    text = f"/a/{secret}?k={secret}&x=fbx_no"
    assert holds_secret(text)
    assert strike_out(text) == "/a/***?k=***&x=fbx_no"
    assert not holds_secret(strike_out(text))
