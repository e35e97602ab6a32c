"""The credits of a workspace: its grants and corrections, and more of both."""

from __future__ import annotations

from starlette.responses import Response

from farebox.contract.texts import error_message
from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.dashboard.confirm import ask, is_confirmed
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_struct
from farebox.dashboard.visit import Visit
from farebox.service.corrections import list_corrections
from farebox.service.forms.money import CorrectionData, CorrectionMake, GrantData, GrantMake
from farebox.service.grants import list_grants
from farebox.store.contract import Reader

_GRANT = ("credits", "kind", "expires_at", "priority")
_CORRECTION = ("request_id", "credits", "reason")


async def show_grants(visit: Visit, status: int = 200) -> Response:
    """The grants, with the form of a new one."""
    profile_id = visit.profile_id

    def work(reader: Reader) -> Response:
        found = list_grants(reader, profile_id, turn_of(visit))
        return visit.page("operator/grants.html", status=status, found=found)

    return await visit.read(work)


async def give_credits(visit: Visit) -> Response:
    """Give credits."""
    try:
        form = read_struct(visit, GrantMake, _GRANT, profile_id=visit.profile_id)
        if not is_confirmed(visit):
            return await _ask_about_grant(visit)
        await visit.write("grants.create", form, GrantData)
    except FareboxError as error:
        return await show_grants(visit, blame(visit, error))
    return visit.go(f"{visit.place}/grants?said=made")


async def show_corrections(visit: Visit, status: int = 200) -> Response:
    """The corrections, with the form of a new one."""
    profile_id = visit.profile_id

    def work(reader: Reader) -> Response:
        found = list_corrections(reader, profile_id, turn_of(visit))
        return visit.page(
            "operator/corrections.html",
            status=status,
            found=found,
            request_id=visit.query("request_id"),
        )

    return await visit.read(work)


async def correct(visit: Visit) -> Response:
    """Correct what a request cost."""
    try:
        form = read_struct(visit, CorrectionMake, _CORRECTION, profile_id=visit.profile_id)
        if not is_confirmed(visit):
            return await _ask_about_correction(visit)
        await visit.write("corrections.create", form, CorrectionData)
    except FareboxError as error:
        if error.kind is NOT_FOUND:
            # The workspace is there: it is the request that isn't.
            visit.form.problems["request_id"] = error_message(visit.language, error)
            return await show_corrections(visit, NOT_FOUND.status)
        return await show_corrections(visit, blame(visit, error))
    return visit.go(f"{visit.place}/corrections?said=made")


async def _ask_about_grant(visit: Visit) -> Response:
    return await ask(
        visit,
        visit.text("Give these credits?"),
        visit.text("They can be spent at once, and can't be taken back."),
        yes=visit.text("Give credits"),
        back=f"{visit.place}/grants",
    )


async def _ask_about_correction(visit: Visit) -> Response:
    return await ask(
        visit,
        visit.text("Correct this request?"),
        visit.text("It moves credits at once. Only another correction can make up for it."),
        yes=visit.text("Correct"),
        back=f"{visit.place}/corrections",
    )
