"""The example of a fleet: one secret for all, none in the file, and a role that is no superuser."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import yaml

from farebox.core.database_url import read_database_url
from farebox.settings import SETTINGS
from farebox.store.database import Database
from tests.support.cluster import SUPERUSER, Cluster

FLEET = Path(__file__).parent.parent.parent / "examples/fleet"
VARIABLE = re.compile(r"\$\{(\w+)([^}]*)\}")


def read_compose() -> Any:  # noqa: ANN401 - any YAML
    return yaml.safe_load((FLEET / "compose.yaml").read_text())


def make_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy2(FLEET / "make_secrets.sh", folder)
    command = ["sh", str(folder / "make_secrets.sh")]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def secrets_in(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_three_nodes_share_a_database_and_a_secret() -> None:
    services = read_compose()["services"]
    nodes = [service for name, service in services.items() if name.startswith("farebox")]
    assert len(nodes) == 3
    assert len({str(node["environment"]) for node in nodes}) == 1
    assert len({str(node["ports"]) for node in nodes}) == 3
    for node in nodes:
        assert all(port.startswith("127.0.0.1:") for port in node["ports"])
        assert node["build"]["dockerfile"] == "Containerfile"
        url = read_database_url(node["environment"]["FAREBOX_DATABASE"])
        assert not url.has_password
        assert str(url).startswith("postgresql://farebox@db/")
        known = {setting.name for setting in SETTINGS} | {"PGPASSWORD"}
        assert set(node["environment"]) <= known
    assert services["db"]["image"] == "postgres:15"


def test_no_secret_has_a_default_and_all_of_them_are_made(tmp_path: Path) -> None:
    needed = VARIABLE.findall((FLEET / "compose.yaml").read_text())
    assert [name for name, rest in needed if not rest.startswith(":?")] == []
    assert make_secrets(tmp_path).returncode == 0
    made = secrets_in(tmp_path)
    assert set(made) == {name for name, _ in needed}
    assert len(set(made.values())) == len(made)
    assert min(map(len, made.values())) >= 64
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert make_secrets(tmp_path).returncode == 1
    assert secrets_in(tmp_path) == made


def test_the_role_owns_its_database_and_is_no_superuser(tmp_path: Path) -> None:
    assert make_secrets(tmp_path).returncode == 0
    password = secrets_in(tmp_path)["DATABASE_PASSWORD"]
    with Cluster() as cluster:
        cluster.control("alter role farebox rename to somebody")
        with closing(cluster.superuser()) as connection:
            socket = connection.info.host
        subprocess.run(
            ["sh", str(FLEET / "make_database.sh")],
            env={
                "PATH": f"{cluster.programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "PGHOST": socket,
                "PGPORT": str(cluster.port),
                "POSTGRES_USER": SUPERUSER,
                "DATABASE_PASSWORD": password,
            },
            check=True,
            capture_output=True,
        )
        url = f"postgresql://farebox:{password}@127.0.0.1:{cluster.port}/farebox"
        assert Database(read_database_url(url)).prepare() != []
        with closing(psycopg.connect(url)) as connection:
            found = connection.execute(
                "select rolsuper or rolbypassrls or rolcreatedb from pg_roles"
                " where rolname = current_user"
            ).fetchone()
            assert found == (False,)
