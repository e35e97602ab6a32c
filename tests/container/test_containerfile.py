"""The Containerfile, as far as it can be tried without an engine: what it says, and its commands.

An image isn't built here. What its first stage runs is run in a folder, as the file has it; what
that leaves serves, says that it is ready, and ends in order.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from farebox.settings import SETTINGS
from tests.support.waiting import until

ROOT = Path(__file__).parent.parent.parent
BUILD_SECONDS_MAX = 300
START_SECONDS_MAX = 60
KNOWN = {
    "FROM", "WORKDIR", "RUN", "COPY", "ENV", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
    "ENTRYPOINT", "CMD",
}  # fmt: skip
SERVES = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Instruction(NamedTuple):
    """One of a Containerfile: `COPY` and what comes after it."""

    name: str
    rest: str


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, continued lines joined."""
    text = (ROOT / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[Instruction]] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, " ".join(rest.split())))
    return found


def only(stage: list[Instruction], name: str) -> str:
    """What the one instruction of this name says."""
    (rest,) = [instruction.rest for instruction in stage if instruction.name == name]
    return rest


def test_the_image_runs_as_a_user_of_its_own_and_ends_in_order() -> None:
    last = stages()[-1]
    names = [instruction.name for instruction in last]
    uid, gid = only(last, "USER").split(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000
    assert f"--uid {uid}" in only(last, "RUN")
    assert names.index("USER") > max(names.index("RUN"), names.index("COPY"))
    assert only(last, "STOPSIGNAL") == "SIGTERM"
    # A shell in between would keep the signal for itself.
    assert json.loads(only(last, "ENTRYPOINT")) == ["farebox"]
    assert json.loads(only(last, "CMD")) == ["serve"]
    assert "/readyz" in only(last, "HEALTHCHECK")


def test_every_base_has_a_version_and_no_host_and_every_package_its_hash() -> None:
    for stage in stages():
        assert {instruction.name for instruction in stage} <= KNOWN
        base = stage[0].rest.partition(" ")[0]
        assert re.fullmatch(r"[a-z]+:\d+\.\d+-slim", base), base
        for instruction in stage:
            for part in instruction.rest.split("&&"):
                if "pip" in part and " install " in part:
                    assert "--require-hashes" in part or "--no-index" in part, part
                    assert "--no-deps" in part, part


def test_the_image_gets_one_folder_of_the_first_stage_and_no_pip() -> None:
    last = stages()[-1]
    assert only(last, "COPY") == "--from=build /opt/farebox /opt/farebox"
    assert only(last, "RUN").startswith("python -m pip uninstall --yes")
    assert not re.search(r"apt|curl|gcc", only(last, "RUN"))


def test_what_it_sets_are_settings_and_none_is_secret() -> None:
    known = {setting.name: setting for setting in SETTINGS}
    names = re.findall(r"(\w+)=", only(stages()[-1], "ENV"))
    assert [name for name in names if name.startswith("FAREBOX_") and name not in known] == []
    assert [name for name in names if name in known and known[name].is_secret] == []


def test_what_is_copied_is_there_and_nothing_else_is_sent() -> None:
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for instruction in stages()[0]
        if instruction.name == "COPY"
        for source in instruction.rest.split()[:-1]
    }
    assert copied == let_in
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_what_the_first_stage_leaves_serves_is_ready_and_ends_in_order(tmp_path: Path) -> None:
    build(tmp_path)
    program = tmp_path / "opt/farebox/bin"
    assert not list(program.glob("pip*"))
    environment = {
        "PATH": f"{program}:/usr/bin:/bin",
        "FAREBOX_PORT": "0",
        "FAREBOX_RUNTIME_DIR": str(tmp_path / "run"),
    }
    told = tmp_path / "told"
    with told.open("wb") as out:
        server = subprocess.Popen(
            [str(program / "farebox"), "serve"], cwd=tmp_path, env=environment, stdout=out
        )
    try:
        until(
            lambda: bool(SERVES.search(told.read_text())) or server.poll() is not None,
            seconds_max=START_SECONDS_MAX,
        )
        found = SERVES.search(told.read_text())
        assert found is not None
        assert is_healthy(environment, found[1])
        assert not is_healthy(environment, "1")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=START_SECONDS_MAX) == 0
    finally:
        server.kill()
        server.wait()


def is_healthy(environment: dict[str, str], port: str) -> bool:
    """What the image's check says of a server."""
    command = json.loads(only(stages()[-1], "HEALTHCHECK").partition("CMD ")[2])
    done = subprocess.run(
        command,
        env={**environment, "FAREBOX_PORT": port},
        check=False,
        capture_output=True,
        timeout=START_SECONDS_MAX,
    )
    return done.returncode == 0


def build(folder: Path) -> None:
    """Do what the first stage does, below a folder."""
    source = folder / "src"
    for instruction in stages()[0]:
        if instruction.name == "WORKDIR":
            (folder / instruction.rest.lstrip("/")).mkdir()
        elif instruction.name == "COPY":
            *names, target = instruction.rest.split()
            for name in names:
                copy(ROOT / name, source / target, is_folder=name == "src")
        elif instruction.name == "RUN":
            script = re.sub(r"(?<![\w/])/opt/", f"{folder}/opt/", instruction.rest)
            done = subprocess.run(
                ["sh", "-ec", script],
                cwd=source,
                env=_like_the_image(folder),
                check=False,
                capture_output=True,
                text=True,
                timeout=BUILD_SECONDS_MAX,
            )
            assert done.returncode == 0, (script, done.stdout, done.stderr)


def copy(source: Path, target: Path, *, is_folder: bool) -> None:
    if is_folder:
        # As .dockerignore: the scripts are bundled in the image's own build.
        ignored = shutil.ignore_patterns("__pycache__", "built")
        shutil.copytree(source, target, ignore=ignored)
        assert not [path for path in target.rglob("*") if fnmatch(path.name, "*.pyc")]
    else:
        target.mkdir(exist_ok=True)
        shutil.copy2(source, target)


def _like_the_image(folder: Path) -> dict[str, str]:
    """An environment without settings, in which Python is `python`, as in the image."""
    named = folder / "named"
    named.mkdir(exist_ok=True)
    python = named / "python"
    if not python.is_symlink():
        python.symlink_to(Path(sys.executable).resolve())
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FAREBOX_")}
    return {**kept, "PATH": f"{named}:{kept['PATH']}"}
