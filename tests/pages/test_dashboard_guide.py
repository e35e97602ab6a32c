"""The guide to the dashboard: its ways to make links, and to end them, do so on a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from farebox.core.link import PAGE
from farebox.pages.guides import guide
from farebox.settings import read_settings
from tests.support.server import RunningServer
from tests.support.sign_in import sign_in_by_link

FENCED = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"https?://[^\s\"]+#lnk_[0-9A-Za-z_-]+")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("guide")) as running:
        running.make("/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 1})
        running.make("/workspaces", {"name": "Acme", "plan": "gold"})
        yield running


def ran(server: RunningServer, *command: str) -> str:
    environment = {
        **server.environment,
        "FAREBOX_PORT": server.url.rpartition(":")[2],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TOKEN": server.token,
    }
    done = subprocess.run(
        command, capture_output=True, check=False, env=environment, text=True, timeout=60
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_every_line_of_the_guide_makes_a_link_or_ends_all_of_them(server: RunningServer) -> None:
    text = server.client.get(f"{server.url}/docs/en/dashboard.md").text
    command, curl, program, revocation, *_ = FENCED.findall(text)
    python = f"import os\ntoken = os.environ['TOKEN']\n{program}\nprint(url)"
    told = [
        ran(server, "bash", "-ec", command),
        ran(server, "bash", "-ec", curl),
        ran(server, sys.executable, "-W", "error", "-c", python),
    ]
    links = [LINK.search(output) for output in told]
    found = [link[0] for link in links if link is not None]
    assert len(set(found)) == len(told)
    assert all(link.startswith(f"{server.url}{PAGE}#") for link in found)
    assert {sign_in_by_link(link).status for link in found} == {httpx.codes.SEE_OTHER}
    ran(server, "bash", "-ec", revocation)
    assert {sign_in_by_link(link).status for link in found} == {httpx.codes.UNAUTHORIZED}


def test_the_settings_of_the_guide_can_be_set() -> None:
    (block,) = [b for b in FENCED.findall(guide("dashboard", "en").source) if "ANCESTORS" in b]
    settings = read_settings(dict(line.split("=", 1) for line in block.splitlines()))
    assert settings.base_url == "https://usage.example.com"
    assert settings.frame_ancestors == ("https://www.example.com",)
