"""The program's secret: one for all processes of a database, and never shown."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.engine.entropy import SystemEntropy
from farebox.engine.paths import secret_path
from farebox.engine.secret import ProgramSecret
from farebox.settings import SettingsError, read_settings

CONFIGURED = "a secret of thirty-two characters or more"
DERIVING = (
    "import sys; from pathlib import Path; from farebox.engine.entropy import SystemEntropy; "
    "from farebox.engine.secret import ProgramSecret; sys.stdin.read(); "
    "print(ProgramSecret('', Path(sys.argv[1]), SystemEntropy()).derive('x').hex())"
)


def made(database: Path, configured: str = "") -> ProgramSecret:
    return ProgramSecret(configured, database, SystemEntropy())


def test_a_configured_secret_derives_the_same_everywhere_and_makes_no_file(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a.db", CONFIGURED), made(tmp_path / "b.db", CONFIGURED)
    assert one.derive("links") == other.derive("links")
    assert len(one.derive("links")) == 32
    assert list(tmp_path.iterdir()) == []


def test_what_is_derived_depends_on_the_purpose_and_on_the_secret(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    secrets = [made(database, CONFIGURED), made(database, CONFIGURED + "!"), made(database)]
    derived = {secret.derive(purpose) for secret in secrets for purpose in ("a", "b", "ab", "")}
    assert len(derived) == 12


def test_the_derivation_is_that_of_rfc_5869(tmp_path: Path) -> None:
    # By `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt "key:…" -kdfopt salt:farebox
    # -kdfopt info:links HKDF`.
    expected = "aafa40fb1a92aeed038a266678ad68b103a2acef750f0be4fe970a5a88d6b34e"
    assert made(tmp_path / "f.db", CONFIGURED).derive("links").hex() == expected


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    first = made(database).derive("links")
    path = secret_path(database)
    assert path.name == "farebox.db.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made(database).derive("links") == first
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_outlives_the_process_that_made_it_and_a_new_one_derives_anew(
    tmp_path: Path,
) -> None:
    database = tmp_path / "farebox.db"
    first = made(database).derive("links")
    secret_path(database).unlink()
    assert made(database).derive("links") != first


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", DERIVING, str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
        child.stdin = None
    told = {child.communicate()[0] for child in children}
    assert told == {made(database).derive("x").hex() + "\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["farebox.db.secret"]


def test_whoever_comes_second_in_the_making_takes_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "farebox.db"
    link = os.link
    first: list[bytes] = []

    def overtaken(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        first.append(made(database).derive("x"))
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)
    assert made(database).derive("x") == first[0] == made(database).derive("x")


def test_a_file_that_holds_too_little_is_refused_by_name(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"
    secret_path(database).write_text("short\n")
    with pytest.raises(FareboxError) as caught:
        made(database).derive("links")
    assert caught.value.kind.status == 503
    assert str(secret_path(database)) in caught.value.internal
    assert "short" not in caught.value.internal


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(FareboxError) as caught:
        made(tmp_path / "none" / "farebox.db").derive("links")
    assert caught.value.kind.status == 503


def test_the_secret_is_in_no_text(tmp_path: Path) -> None:
    secret = made(tmp_path / "farebox.db", CONFIGURED)
    assert CONFIGURED not in f"{secret!r} {secret} {vars(secret)}"
    with pytest.raises(SettingsError) as caught:
        read_settings({"FAREBOX_SECRET": "too-short-a-secret"})
    assert "32 to 1024 characters" in str(caught.value)
    assert "too-short" not in str(caught.value)
    assert CONFIGURED not in repr(read_settings({"FAREBOX_SECRET": CONFIGURED}))
