"""Log types and their prices: the list, a new one, and a price that is valid from an instant."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.errors import FareboxError
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import Typed, read_change, read_struct, typed_of
from farebox.dashboard.visit import Visit
from farebox.service.forms.log_type import LogTypeChange, LogTypeCreate, LogTypeData
from farebox.service.log_types import list_log_types, read_log_type
from farebox.store.contract import Reader

_NEW = ("slug", "name", "credits", "hold_credits", "method", "path")
_TERMS = ("name", "method", "path")
_PRICE = ("credits", "hold_credits", "valid_from")
_BLANK: Typed = dict.fromkeys(_NEW, "")


async def show_log_types(visit: Visit) -> Response:
    """The list."""

    def work(reader: Reader) -> Response:
        found = list_log_types(reader, turn_of(visit), visit.now_ms)
        return visit.page("operator/log_types.html", found=found, said=visit.query("said"))

    return await visit.read(work)


async def show_new_log_type(visit: Visit, status: int = 200) -> Response:
    """The form of a new one."""
    return await visit.show("operator/log_type_new.html", status=status, typed=_BLANK)


async def make_log_type(visit: Visit) -> Response:
    """Make one."""
    try:
        form = read_struct(visit, LogTypeCreate, _NEW)
        await visit.write("log_types.create", form, LogTypeData)
    except FareboxError as error:
        return await show_new_log_type(visit, blame(visit, error))
    return visit.go(f"{visit.root}/log-types?said=made")


async def show_log_type(visit: Visit, status: int = 200) -> Response:
    """One of them, to be changed."""
    slug = visit.path("slug")

    def work(reader: Reader) -> Response:
        data = read_log_type(reader, slug, visit.now_ms)
        return visit.page(
            "operator/log_type.html",
            status=status,
            data=data,
            typed={**typed_of(data, visit.zone), "valid_from": ""},
        )

    return await visit.read(work)


async def change_log_type(visit: Visit) -> Response:
    """Change what it is called and found by, or its price, whichever form was sent."""
    slug, form = visit.path("slug"), visit.form
    data = await visit.read(lambda reader: read_log_type(reader, slug, visit.now_ms))
    shown = typed_of(data, visit.zone)
    try:
        if "credits" in form:
            change = _price(visit, shown, slug)
        else:
            change = read_change(visit, LogTypeChange, _TERMS, shown, slug=slug)
        await visit.write("log_types.change", change, LogTypeData)
    except FareboxError as error:
        return await show_log_type(visit, blame(visit, error))
    return visit.go(f"{visit.root}/log-types?said=changed")


def _price(visit: Visit, shown: Typed, slug: str) -> LogTypeChange:
    """A new price. A hold that isn't touched follows the credits where both were the same."""
    is_hold_kept = visit.form.text("hold_credits") == shown["hold_credits"]
    names = [
        name
        for name in _PRICE
        if visit.form.text(name) and not (name == "hold_credits" and is_hold_kept)
    ]
    return read_struct(visit, LogTypeChange, names, slug=slug)
