"""The client is light: `import farebox` loads nothing, and the client nothing of the server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import farebox
from farebox import AsyncClient, Client, client

PROGRAM = """
import json, sys
import farebox
light = [name for name in sys.modules if name.startswith("farebox.") or name == "httpx"]
farebox.Client("http://127.0.0.1:1", "a-token-of-somebody")
print(json.dumps({"light": light, "heavy": list(sys.modules)}))
"""
SERVER = ("engine", "store", "api", "app", "settings", "cli")


def test_the_client_needs_nothing_of_the_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True, timeout=60
    )
    loaded = json.loads(done.stdout)
    assert loaded["light"] == []
    assert "farebox.client" in loaded["heavy"]
    heavy = {name.split(".")[0] for name in loaded["heavy"]}
    assert not heavy & {"apsw", "aiosql", "starlette", "uvicorn", "jinja2", "prometheus_client"}
    assert not {f"farebox.{room}" for room in SERVER} & set(loaded["heavy"])


def test_the_package_offers_both_clients_and_nothing_else() -> None:
    assert farebox.Client is Client is client.Client
    assert farebox.AsyncClient is AsyncClient is client.AsyncClient
    assert {"Client", "AsyncClient", "__version__"} <= set(dir(farebox))
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        getattr(farebox, "Klient")  # noqa: B009 - what a caller mistypes


def test_types_are_told() -> None:
    folder = Path(farebox.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "__init__.pyi").is_file()
