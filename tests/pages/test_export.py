"""The documentation as files is what the program serves."""

from __future__ import annotations

from pathlib import Path

from farebox.contract.texts import LANGUAGES
from farebox.pages.app import make
from farebox.pages.export import write_site
from farebox.pages.facts import Facts
from farebox.pages.site import slugs


def test_every_page_is_written_in_every_language_as_it_is_served(tmp_path: Path) -> None:
    facts = Facts(version="1.2.3")
    count = write_site(tmp_path, facts)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == count
    for language in LANGUAGES:
        for slug in slugs():
            name = "index.html" if slug == "index" else f"{slug}.html"
            html = (tmp_path / "docs" / language / name).read_bytes()
            assert html == make(slug, language, facts).body
            markdown = (tmp_path / "docs" / language / f"{slug}.md").read_bytes()
            assert markdown == make(f"{slug}.md", language, facts).body


def test_every_file_that_a_page_names_is_written(tmp_path: Path) -> None:
    write_site(tmp_path, Facts(version="1.2.3"))
    page = (tmp_path / "docs" / "en" / "reference.html").read_text("utf-8")
    named = {part.split('"')[0] for part in page.split("/docs/assets/")[1:]}
    assert named
    assert all((tmp_path / "docs" / "assets" / name).is_file() for name in named)
