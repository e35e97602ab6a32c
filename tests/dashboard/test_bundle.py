"""The bundle of the dashboard's scripts is made of the sources as they are, and when it must be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent.parent
DASHBOARD = "src/farebox/dashboard"
NO_REGISTRY = "http://127.0.0.1:9"


class Copy:
    """A copy of the sources, with a bundle of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sources = home / DASHBOARD / "frontend"
        self.built = home / DASHBOARD / "assets" / "built"
        shutil.copytree(HOME / DASHBOARD / "frontend", self.sources)

    def bundle(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, self.sources / "bundle.py"],
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
        )

    def scripts(self) -> dict[str, str]:
        names: dict[str, str] = json.loads((self.built / "manifest.json").read_text())
        return names

    def times(self) -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in self.built.iterdir()}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_nothing_is_made_again_unless_a_source_has_changed(copy: Copy) -> None:
    # The packages are those that the installation has fetched.
    (copy.home / "build").symlink_to(HOME / "build")
    assert copy.bundle().returncode == 0
    before, times = copy.scripts(), copy.times()
    assert copy.bundle(npm_config_registry=NO_REGISTRY, PATH="").returncode == 0
    assert copy.times() == times

    source = copy.sources / "copy.js"
    source.write_text(source.read_text().replace("4000", "5000"))
    assert copy.bundle().returncode == 0
    after = copy.scripts()
    assert after["dashboard.js"] != before["dashboard.js"]
    assert after["chart.js"] == before["chart.js"]
    assert not (copy.built / before["dashboard.js"]).exists()

    (copy.built / after["chart.js"]).unlink()
    assert copy.bundle().returncode == 0
    assert (copy.built / after["chart.js"]).exists()


def test_the_scripts_are_the_same_wherever_they_are_made(copy: Copy) -> None:
    (copy.home / "build").symlink_to(HOME / "build")
    assert copy.bundle().returncode == 0
    installed = HOME / DASHBOARD / "assets" / "built"
    for path in copy.built.iterdir():
        assert path.read_bytes() == (installed / path.name).read_bytes(), path.name


def test_without_the_registry_one_line_says_why_there_is_no_bundle(copy: Copy) -> None:
    cache = str(copy.home / "cache")
    done = copy.bundle(
        npm_config_registry=NO_REGISTRY, npm_config_cache=cache, npm_config_fetch_retries="0"
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("The dashboard's scripts can't be built: npm couldn't install")
    assert not copy.built.exists()


def test_a_fault_in_a_script_is_named_in_one_line(copy: Copy) -> None:
    (copy.home / "build").symlink_to(HOME / "build")
    (copy.sources / "tip.js").write_text("export function (")
    done = copy.bundle()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "tip.js:1" in line


def test_the_lock_names_every_package_by_its_hash_and_no_host() -> None:
    lock = json.loads((HOME / DASHBOARD / "frontend/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {"node_modules/echarts", "node_modules/zrender"} <= set(packages)
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
