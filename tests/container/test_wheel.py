"""The wheel holds all of the package, whatever kind of file it is: what is installed can run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

HOME = Path(__file__).parent.parent.parent
PACKAGE = HOME / "src" / "farebox"


def test_a_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=HOME, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(ZipFile(wheel).namelist())
    files = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert "farebox/store/sql/keys.sql" in files
    assert files <= packed
