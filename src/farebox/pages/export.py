"""The documentation as files, for a web server that serves it without Farebox.

The folder holds what the program serves, under the same addresses.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from farebox.contract.texts import LANGUAGES
from farebox.pages.app import LLMS, OPENAPI, SUFFIX, assets, make
from farebox.pages.facts import Facts
from farebox.pages.site import INDEX, slugs


def write_site(folder: Path, facts: Facts) -> int:
    """Write every page into a folder, which is made; the number of files."""
    files: dict[str, bytes] = {LLMS: make(LLMS, "en", facts).body}
    for language in LANGUAGES:
        files[f"openapi/{language}.json"] = make(OPENAPI, language, facts).body
        for slug in slugs():
            name = "index.html" if slug == INDEX else f"{slug}.html"
            files[f"docs/{language}/{name}"] = make(slug, language, facts).body
            files[f"docs/{language}/{slug}{SUFFIX}"] = make(slug + SUFFIX, language, facts).body
    for name, body in files.items():
        path = folder / name.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    target = folder / "docs" / "assets"
    target.mkdir(parents=True, exist_ok=True)
    for name, source in assets().items():
        shutil.copyfile(source, target / name)
    return len(files) + len(assets())
