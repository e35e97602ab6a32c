"""Bearer tokens: their list, a new one that is shown once, and the end of one."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.dashboard.confirm import ask, is_confirmed
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_struct
from farebox.dashboard.visit import Visit
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import TokenCreate, TokenMade, TokenRevoke
from farebox.service.tokens import list_tokens, read_token
from farebox.store.contract import Reader


async def show_tokens(visit: Visit, status: int = 200, made: TokenMade | None = None) -> Response:
    """The list, with the form of a new one, and the one that was just made."""

    def work(reader: Reader) -> Response:
        return visit.page(
            "operator/tokens.html",
            status=status,
            found=list_tokens(reader, turn_of(visit)),
            made=made,
            own=visit.session.ref,
        )

    return await visit.read(work)


async def make_token(visit: Visit) -> Response:
    """Make one; its secret stands in this answer alone."""
    try:
        form = read_struct(visit, TokenCreate, ("name", "scope"))
        made = await visit.write("tokens.create", form, TokenMade)
    except FareboxError as error:
        return await show_tokens(visit, blame(visit, error))
    return await show_tokens(visit, made=made)


async def revoke_token(visit: Visit) -> Response:
    """Revoke one; the session ends with its own."""
    token_id = visit.path("token_id")
    token = await visit.read(lambda reader: read_token(reader, token_id))
    if not is_confirmed(visit):
        return await ask(
            visit,
            visit.text("Revoke {name}?", name=token.name),
            visit.text("It is refused within a second, everywhere. This can't be undone."),
            yes=visit.text("Revoke for good"),
            back=f"{visit.root}/tokens",
        )
    await visit.write("tokens.revoke", TokenRevoke(token_id=token_id), Nothing)
    if token_id == visit.session.ref:
        visit.ends = True
        return visit.go(f"{visit.root}/sign-in")
    return visit.go(f"{visit.root}/tokens")
