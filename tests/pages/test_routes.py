"""The documentation's routes: every page in every language, and nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import msgspec
import pytest
import yaml

from farebox.contract.openapi import openapi_document
from farebox.contract.operations import BY_ID, OPERATIONS
from farebox.contract.texts import LANGUAGE_TAGS, LANGUAGES, Language, translate
from farebox.pages.app import assets, routes
from farebox.pages.markdown import openapi_settings
from farebox.pages.site import INDEX, slugs
from tests.pages.site_client import FACTS, get

every_language = pytest.mark.parametrize("language", LANGUAGES)
POINTER = f"""> ## Documentation Index
> Fetch the complete documentation index at: {FACTS.base_url}/llms.txt
> Use this file to discover all available pages before exploring further.

# """
OUTSIDE = ("http:", "https:", "//")
KEPT_HEADERS = {"content-security-policy", "referrer-policy", "x-content-type-options"}


class Reader(HTMLParser):
    """What a page asks for: its links, the files it loads, and what runs or styles inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.tags: list[str] = []
        self.html_lang = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "html":
            self.html_lang = named["lang"]
        if tag == "a":
            self.links.append(named["href"])
        elif tag in {"script", "img", "link", "iframe"}:
            self.loads.append(named.get("src") or named.get("href", ""))
        if tag == "style" or (tag == "script" and "src" not in named):
            self.inline.append(tag)
        self.inline += [name for name in named if name == "style" or name.startswith("on")]


def path_of(slug: str, language: Language) -> str:
    return f"/docs/{language}/" + ("" if slug == INDEX else slug)


@every_language
@pytest.mark.parametrize("slug", slugs())
def test_every_page_is_served_as_html(slug: str, language: Language) -> None:
    answer = get(path_of(slug, language))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == LANGUAGE_TAGS[language]
    assert answer.headers.keys() >= KEPT_HEADERS
    reader = Reader(answer.text)
    assert reader.html_lang == LANGUAGE_TAGS[language]
    assert reader.tags.count("h1") == 1
    assert reader.inline == []
    assert not [link for link in reader.links + reader.loads if link.startswith(OUTSIDE)]


@every_language
@pytest.mark.parametrize("slug", slugs())
def test_every_page_is_served_as_markdown(slug: str, language: Language) -> None:
    answer = get(f"/docs/{language}/{slug}.md")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith(POINTER)
    assert re.match(r".+\n\n> .+\n", answer.text.removeprefix(POINTER))


@every_language
@pytest.mark.parametrize("operation_id", BY_ID)
def test_an_operations_page_is_that_of_the_seeds(operation_id: str, language: Language) -> None:
    operation = BY_ID[operation_id]
    text = get(f"/docs/{language}/{operation_id}.md").text
    heading = f"yaml {language}-openapi {operation.methods[0]} {operation.path}"
    title, description = operation.title, operation.description
    wanted = f"# {translate(language, title)}\n\n> {translate(language, description)}\n\n\n\n"
    body = text.partition("\n\n")[2]
    assert body.startswith(f"{wanted}## OpenAPI\n\n````{heading}\n")
    fragment = re.fullmatch(r".*\n````yaml [^\n]*\n(.*)\n````\n", text, re.DOTALL)
    assert fragment
    document = yaml.safe_load(fragment[1])
    made = openapi_document((operation,), language, openapi_settings(FACTS))
    assert document == msgspec.json.decode(msgspec.json.encode(made))


def test_the_index_lists_every_page_in_every_language() -> None:
    listed = get("/llms.txt").text
    assert listed.startswith("# Farebox\n\n> ")
    for language in LANGUAGES:
        for slug in slugs():
            if slug not in {INDEX, "reference"}:
                assert f"({FACTS.base_url}/docs/{language}/{slug}.md)" in listed
        assert f"({FACTS.base_url}/openapi/{language}.json)" in listed


def test_every_link_leads_somewhere() -> None:
    found: set[str] = set()
    for language in LANGUAGES:
        for slug in slugs():
            page = path_of(slug, language)
            reader = Reader(get(page).text)
            found |= {urljoin(page, link) for link in reader.links + reader.loads}
    found |= set(re.findall(rf"\({FACTS.base_url}(/[^)]*)\)", get("/llms.txt").text))
    paths = {urlsplit(link).path for link in found if not link.startswith("data:")}
    assert len(paths) > len(slugs()) * len(LANGUAGES)
    assert [path for path in sorted(paths) if get(path).status_code != 200] == []


@every_language
def test_the_openapi_document_holds_every_operation(language: Language) -> None:
    document = get(f"/openapi/{language}.json").json()
    described = {(m.upper(), path) for path, item in document["paths"].items() for m in item}
    assert described == {(m, o.path) for o in OPERATIONS for m in o.methods}
    assert document["info"]["version"] == FACTS.version


def test_the_routes_are_those_of_the_operations() -> None:
    served = {route.name: route.path for route in routes(FACTS)}
    assert served == {name: BY_ID[name].path for name in served}


@pytest.mark.parametrize(
    ("header", "place"),
    [("ja,en;q=0.5", "/docs/jp/"), ("zh-CN", "/docs/cn/"), ("fr", "/docs/en/")],
)
def test_the_documentation_opens_in_the_readers_language(header: str, place: str) -> None:
    answer = get("/docs", **{"Accept-Language": header})
    assert answer.status_code == 307
    assert answer.headers["location"] == place
    assert answer.headers["vary"] == "Accept-Language"


@every_language
def test_the_first_page_is_found_without_its_slash(language: Language) -> None:
    answer = get(f"/docs/{language}")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/docs/{language}/"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/xx",
        "/docs/xx/",
        "/docs/xx/errors",
        "/docs/en/no-such-page",
        "/docs/en/errors.html",
        "/docs/en/llms.txt",
        "/docs/en/openapi.json",
        "/docs/en/errors.md.md",
        "/docs/assets/docs.py",
        "/docs/assets/..%2Fapp.py",
        "/openapi/xx.json",
    ],
)
def test_an_address_that_is_none_is_refused(path: str) -> None:
    assert get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/en", "/docs/en/", "/llms.txt", "/openapi/en.json"]
)
def test_a_page_answers_get_and_head_alone(path: str) -> None:
    assert get(path, method="HEAD").status_code == get(path).status_code
    for method in ("POST", "DELETE", "OPTIONS", "INVENTED"):
        assert get(path, method=method).status_code == 405


def test_the_reference_runs_from_our_own_files() -> None:
    assert {"docs.css", "reference.css", "reference.js"} <= assets().keys()
    assert {"swagger-ui.css", "swagger-ui-bundle.js"} <= assets().keys()
    script = get("/docs/assets/swagger-ui-bundle.js")
    assert script.headers["content-type"].startswith("text/javascript")
    # From version 5 on Swagger UI reads OpenAPI 3.1.
    assert re.search(r'PACKAGE_VERSION:"5\.', script.text)
    assert "validatorUrl: null" in get("/docs/assets/reference.js").text
    page = get("/docs/ko/reference").text
    assert 'data-url="/openapi/ko.json"' in page


def test_no_style_sheet_or_script_of_ours_names_another_host() -> None:
    for name in ("docs.css", "reference.css", "reference.js"):
        assert "//" not in get(f"/docs/assets/{name}").text.replace("// ", "")
