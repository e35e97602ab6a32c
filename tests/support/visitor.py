"""A visitor: a browser without a screen. It keeps cookies, follows redirects, sends forms.

Forms are sent as a page offers them: with their hidden fields and what is filled in already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urlencode

import httpx

from tests.support.api import BASE_URL, Api

REDIRECTS_MAX = 5
# Attributes that are shown or read out.
LABELS = ("alt", "aria-label", "data-copied", "label", "placeholder", "title")


@dataclass
class SentForm:
    """A form of a page: where it goes, and what it holds by field."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Page:
    """An answer, read as a browser reads it."""

    response: httpx.Response
    path: str
    forms: list[SentForm] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """All that can be read, its words apart by single blanks."""
        return " ".join(" ".join(self.texts).split())

    def form(self, action: str) -> SentForm:
        """The form that goes to a path."""
        sent = [form for form in self.forms if form.method != "dialog"]
        found = [form for form in sent if form.action.partition("?")[0] == action]
        assert len(found) == 1, [form.action for form in self.forms]
        return found[0]


class Visitor:
    """One person with one browser, who speaks one language."""

    def __init__(self, api: Api, language: str = "en") -> None:
        self._api = api
        self._language = language
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Page:
        """The page that a path leads to in the end."""
        return self._follow(self.ask("GET", path), path)

    def send(self, page: Page, action: str, **values: str | list[str] | None) -> Page:
        """Fill in a form of a page and send it; None takes a field out."""
        form = page.form(action)
        filled = dict(form.values)
        for name, value in values.items():
            filled[name] = [] if value is None else [value] if isinstance(value, str) else value
        return self.post(action, filled)

    def post(self, path: str, values: dict[str, list[str]] | dict[str, str]) -> Page:
        """Send a form, whether a page offers it or not."""
        content = urlencode(values, doseq=True).encode()
        return self._follow(self.ask("POST", path, content), path)

    def ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        """One answer, without following it anywhere."""
        headers = {"Accept-Language": self._language}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if content is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = self._api.request(method, path, content=content, headers=headers)
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0]
            if value and "max-age=0" not in line.lower():
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return response

    def sign_in(self, key: str) -> Self:
        """Sign in with an API key."""
        page = self.send(self.get("/dashboard/sign-in"), "/dashboard/sign-in", key=key)
        assert page.status == httpx.codes.OK, page.text
        assert page.path == "/dashboard"
        return self

    def sign_in_as_operator(self, token: str) -> Self:
        """Sign in with an admin token."""
        page = self.send(self.get("/operator/sign-in"), "/operator/sign-in", token=token)
        assert page.status == httpx.codes.OK, page.text
        assert page.path == "/operator"
        return self

    def _follow(self, response: httpx.Response, path: str) -> Page:
        for _ in range(REDIRECTS_MAX):
            if not response.is_redirect:
                return read_page(response, path)
            path = response.headers["location"].removeprefix(BASE_URL)
            response = self.ask("GET", path)
        message = f"{path} leads round in circles"
        raise AssertionError(message)


def read_page(response: httpx.Response, path: str) -> Page:
    """An answer as a page."""
    page = Page(response, path.partition("?")[0])
    if response.headers.get("content-type", "").startswith("text/html"):
        _PageParser(page).feed(response.text)
    return page


class _PageParser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._form: SentForm | None = None
        self._select: str | None = None
        self._textarea: str | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        names = {name for name, _ in attrs}
        self._page.labels += [found[name] for name in LABELS if found.get(name)]
        match tag:
            case "script" | "style":
                self._hidden += 1
            case "a":
                self._page.links.append(found.get("href", ""))
            case "data":
                self._page.data.append(found["value"])
            case "form":
                here = str(self._page.response.request.url).removeprefix(BASE_URL)
                self._form = SentForm(
                    found.get("action") or here, found.get("method", "get").lower()
                )
                self._page.forms.append(self._form)
            case "input":
                self._input(found, names)
            case "select":
                self._select = found.get("name")
            case "option" if self._form and self._select:
                chosen = self._form.values.setdefault(self._select, [])
                if "selected" in names or not chosen:
                    self._form.values[self._select] = [found.get("value", "")]
            case "textarea":
                self._textarea = found.get("name")
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "script" | "style":
                self._hidden -= 1
            case "form":
                self._form = None
            case "select":
                self._select = None
            case "textarea":
                self._textarea = None
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self._form is not None:
            self._form.values[self._textarea] = [data]
        elif not self._hidden and data.strip():
            self._page.texts.append(data.strip())

    def _input(self, found: dict[str, str], names: set[str]) -> None:
        name = found.get("name")
        if self._form is None or not name:
            return
        if found.get("type") in {"checkbox", "radio"}:
            if "checked" in names:
                self._form.values.setdefault(name, []).append(found.get("value", "on"))
        else:
            self._form.values[name] = [found.get("value", "")]
