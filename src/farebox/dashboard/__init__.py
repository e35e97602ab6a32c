"""The dashboard: the pages of a workspace's people and of the operator, rendered by the server.

    site.py         serves what `workspace.PAGES` and `operator.PAGES` declare
    visit.py        one request: who looks, in which language, at what; gives pages
    session.py      the signed cookie that says who looks; access.py holds it against what is true
    cookies.py      how cookies are set, so that they are kept in frames, too
    form.py         what a page sends, and the mark that it came from our page
    struct_form.py  the same as the form of a command
    problem.py      what went wrong, on a page of its own or in the form that is to blame
    confirm.py      the page that asks before what can't be undone
    formats.py      numbers, credits, days and instants of each language
    render.py       templates; `_("…")` marks a text
    workspace/, operator/   one file a page; templates/ has the same folders

How a page is written. A handler gets a visit; `await visit.read(work)` runs `work(reader)` on a
reader's thread, where it asks the services that the API asks and gives `visit.page("x.html", …)`; a
page for which nothing is read is `await visit.show("x.html", …)`. A handler of a form calls `await
visit.write(command, form, answer)`, which is a command of the recorder with the session as its
actor, and then `visit.go(path)`; the command's form is made by `read_struct`, what is wrong with it
is told by `blame(visit, error)`, and the page is shown again with what was typed. Forms carry
`form_marks(csrf)`. Templates are made of the macros in `templates/parts.html`; all their words
stand in `_("…")`, their numbers in `formats.…`, with the exact value beside what is shown. Pages
work without scripts; no style and no script stands in a page.
"""
