"""A visit: one request for a page, with all that was found out about who looks and how.

A page is made where it is read, on a reader's thread, so that neither SQL nor a template holds up
the event loop: `await visit.read(work)`, where `work` gives `visit.page("name.html", …)`. Where
nothing is to be read, `await visit.show("name.html", …)` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from farebox.contract.texts import LANGUAGE_NAMES, LANGUAGE_TAGS, Language, translate
from farebox.core.calendar import day_of_quarter, quarter_of, zone_of
from farebox.core.errors import IN_FLIGHT, INVALID_REQUEST, NOT_FOUND, FareboxError
from farebox.core.phrase import Phrase
from farebox.core.workspace import ApiKey, User, Workspace
from farebox.dashboard.desk import Desk
from farebox.dashboard.form import Form
from farebox.dashboard.formats import Formats
from farebox.dashboard.numbers import id_of
from farebox.dashboard.render import environment
from farebox.dashboard.session import ROOTS, Area, Session
from farebox.service.readers import read_own
from farebox.store.contract import Reader

Theme = Literal["auto", "light", "dark"]
Result = TypeVar("Result")
Struct = TypeVar("Struct", bound=msgspec.Struct)

FORM_ID_FIELD = "form_id"
_FORM_ID = re.compile(r"[0-9a-f]{32}")
WORKSPACE_IN_PATH = "profile_id"
SEE_OTHER = 303
UNAVAILABLE = 503


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request; `now_ms` is its instant, the same wherever it is asked for.

    Attributes:
        form: what was sent; empty where nothing was.
        keeps: a session that the answer is to set.
        ends: whether the answer is to end the session.
        has_ended: whether the browser came with a session that has ended before its time.
        is_open: whether it isn't known what became of the form that was sent.
    """

    desk: Desk
    request: Request
    area: Area
    language: Language
    theme: Theme
    now_ms: int
    session: Session
    form: Form = field(default_factory=Form)
    keeps: Session | None = None
    ends: bool = False
    has_ended: bool = False
    is_open: bool = False

    @property
    def is_signed_in(self) -> bool:
        """Whether this is more than a visitor."""
        return self.session.kind != "visitor"

    @property
    def may_manage(self) -> bool:
        """Whether this session may change the workspace."""
        return self.session.role == "manage"

    @property
    def profile_id(self) -> int:
        """The workspace of a signed-in session; the operator's is the one in the path.

        Raises:
            FareboxError: 404, there is no such workspace.
        """
        if self.area == "operator":
            if not self.has_workspace:
                raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
            return int(self.path(WORKSPACE_IN_PATH))
        assert self.session.profile_id
        return self.session.profile_id

    @property
    def has_workspace(self) -> bool:
        """Whether this page is about one workspace, which is there."""
        text = str(self.request.path_params.get(WORKSPACE_IN_PATH, self.session.profile_id))
        return id_of(text) in self.desk.directory.workspaces

    @property
    def workspace(self) -> Workspace:
        """The workspace that this page is about."""
        return self.desk.directory.workspaces[self.profile_id]

    @property
    def key(self) -> ApiKey | None:
        """The key that was signed in with, if it was one."""
        return self.desk.directory.keys[self.session.ref] if self.session.kind == "key" else None

    @property
    def user(self) -> User:
        """Whose limits are shown first: the key's user, else the owner."""
        if self.key is not None:
            return self.desk.directory.users[self.key.user_id]
        return self.desk.directory.users_of(self.profile_id)[0]

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days the reports show; UTC where all workspaces are shown."""
        if not self.has_workspace:
            return zone_of("UTC")
        return zone_of(self.workspace.report_timezone)

    @property
    def today(self) -> int:
        """The day in that zone."""
        return day_of_quarter(quarter_of(self.now_ms), self.zone)

    @property
    def formats(self) -> Formats:
        """How this reader expects numbers and dates."""
        return Formats(self.language)

    @property
    def root(self) -> str:
        """The address that all pages of this area begin with."""
        return ROOTS[self.area]

    @property
    def place(self) -> str:
        """The address that the pages of the workspace begin with."""
        is_own = self.area == "workspace"
        return self.root if is_own else f"{self.root}/workspaces/{self.profile_id}"

    def name_of(self, profile_id: int) -> str:
        """The name of a workspace; its id where this process hasn't heard of it yet."""
        found = self.desk.directory.workspaces.get(profile_id)
        return str(profile_id) if found is None else found.name

    def is_in(self, path: str) -> bool:
        """Whether this page is the one at a path below the root, or one below that."""
        here = self.request.url.path.removeprefix(self.root)
        return here == path or (path != "" and here.startswith(f"{path}/"))

    def here(self, **changed: object) -> str:
        """This page's address with some values of its query changed; None takes one out."""
        rest = [(n, v) for n, v in self.request.query_params.multi_items() if n not in changed]
        rest += [(name, str(value)) for name, value in changed.items() if value is not None]
        return self.request.url.path + (f"?{urlencode(rest)}" if rest else "")

    def text(self, msgid: str, **params: object) -> str:
        """A text in the reader's language."""
        return translate(self.language, msgid, **params)

    def query(self, name: str, default: str = "") -> str:
        """A value in the query string, without blanks around it."""
        return str(self.request.query_params.get(name, default)).strip()

    def path(self, name: str) -> str:
        """A value in the path."""
        return str(self.request.path_params[name])

    async def read(self, work: Callable[[Reader], Result], *, own_seconds: float = 0) -> Result:
        """The result of some work that reads: the workspace alone, or for the operator all."""
        alone = None if self.area == "operator" else self.profile_id
        return await read_own(
            self.desk.readers, self.desk.follower, alone, work, own_seconds=own_seconds
        )

    async def write(self, command: str, form: msgspec.Struct, answer: type[Struct]) -> Struct:
        """Run a command of the recorder; returns after the commit, and this process knows of it.

        A form that carries a `form_id` is carried out once, however often it is sent.

        Raises:
            FareboxError: what is wrong with it.
        """
        form_id = self.form.optional(FORM_ID_FIELD)
        if form_id is not None and not _FORM_ID.fullmatch(form_id):
            raise FareboxError(INVALID_REQUEST, reason=Phrase("the form can't be read"))
        try:
            told = await self.desk.link.call(
                command, form, answer, actor=self.session.actor, idempotency_key=form_id
            )
        except FareboxError as error:
            self.is_open = error.kind is IN_FLIGHT or error.kind.status == UNAVAILABLE
            raise
        # What is done is told, even if nothing can be read now: it may be a secret.
        with suppress(FareboxError):
            await self.desk.follower.reach(self.desk.link.change_id)
        return told

    def form_id(self) -> str:
        """A new id for a form; the same where the form comes back and may have been carried out."""
        if self.is_open and FORM_ID_FIELD in self.form:
            return self.form.text(FORM_ID_FIELD)
        return self.desk.entropy.random_bytes(16).hex()

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """A page."""
        text = (
            environment(self.language)
            .get_template(template)
            .render(
                visit=self,
                form=self.form,
                csrf=self.desk.marks.of(self.keeps or self.session),
                languages=[
                    (code, LANGUAGE_TAGS[code], name) for code, name in LANGUAGE_NAMES.items()
                ],
                **values,
            )
        )
        return HTMLResponse(text, status)

    async def show(self, template: str, *, status: int = 200, **values: object) -> Response:
        """A page for which nothing is read, made on another thread than the event loop's."""
        return await run_in_threadpool(partial(self.page, template, status=status, **values))

    def go(self, path: str) -> Response:
        """Have the browser ask for another page; a form that was sent isn't sent again."""
        return RedirectResponse(path, SEE_OTHER)
