"""Assets: the files that pages need, each at an address that changes with what it holds.

So a browser may keep them for good. Nothing comes from another host.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

ROOT = "/dashboard/assets"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# The names of the built files by what they were made of.
MANIFEST = "manifest.json"
ENTRY = "dashboard.js"


class Asset(NamedTuple):
    """A file as it goes out: as it is, or to a browser that knows gzip."""

    body: bytes
    gzipped: bytes
    media_type: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """The files by name: our own, and those that the build made."""
    folder = Path(str(resources.files("farebox.dashboard").joinpath("assets")))
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES]
    return {path.name: _read(path) for path in paths}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, mtime=0), MEDIA_TYPES[path.suffix])


@lru_cache(maxsize=1)
def version() -> str:
    """Some characters that stand for all that the files hold."""
    digest = hashlib.sha256()
    for name, asset in assets().items():
        digest.update(name.encode() + b"\0" + asset.body)
    return digest.hexdigest()[:12]


def asset_url(name: str) -> str:
    """The address of a file."""
    assert name in assets(), f"there is no asset {name}"
    return f"{ROOT}/{version()}/{name}"


@lru_cache(maxsize=1)
def script_url() -> str | None:
    """The address of the script; None where it wasn't built: pages work without it, too."""
    manifest = resources.files("farebox.dashboard").joinpath(f"assets/built/{MANIFEST}")
    if not manifest.is_file():
        return None
    return asset_url(json.loads(manifest.read_text(encoding="utf-8"))[ENTRY])
