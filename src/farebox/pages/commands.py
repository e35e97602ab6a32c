"""The commands of the command line, as the documentation lists them.

A test holds the list against the command line itself: a command that isn't here is undocumented.
"""

from __future__ import annotations

from farebox.core.phrase import Phrase
from farebox.pages.facts import CommandFact

_ALL = ("create", "change", "list", "show")

COMMANDS: tuple[CommandFact, ...] = (
    CommandFact("serve", (), Phrase("Serves the API, the documentation and the metrics.")),
    CommandFact("demo", (), Phrase("Serves a workspace with made-up traffic and a sample API.")),
    CommandFact("import", (), Phrase("Records what a web server has logged.")),
    CommandFact("audit", (), Phrase("Computes the books again and says whether they agree.")),
    CommandFact("backup", (), Phrase("Writes a copy of the database while it is being served.")),
    CommandFact("restore", (), Phrase("Puts a backup in the place of the database.")),
    CommandFact("restored", (), Phrase("Makes a database ready that was restored by other means.")),
    CommandFact(
        "migrate", (), Phrase("Brings the schema up to date, or moves a database to PostgreSQL.")
    ),
    CommandFact("docs", (), Phrase("Writes this documentation into a folder, as files.")),
    CommandFact("statement", (), Phrase("Prints what to invoice a workspace from.")),
    CommandFact("plans", _ALL, Phrase("Plans: limits and monthly credits.")),
    CommandFact("log-types", _ALL, Phrase("Log types: priced endpoints.")),
    CommandFact("workspaces", _ALL, Phrase("Workspaces: your customers.")),
    CommandFact("users", _ALL, Phrase("Users: the members of a workspace.")),
    CommandFact("keys", (*_ALL, "rotate", "revoke"), Phrase("API keys of a workspace.")),
    CommandFact("links", ("create", "revoke"), Phrase("Links into the dashboard of a workspace.")),
    CommandFact("grants", ("create", "list"), Phrase("Credits given to a workspace.")),
    CommandFact("corrections", ("create", "list"), Phrase("Corrections of what was charged.")),
    CommandFact("refusals", ("list", "counts"), Phrase("Refused calls, and why.")),
    CommandFact(
        "webhooks",
        ("create", "list", "delete", "deliveries"),
        Phrase("Webhooks: URLs that events are sent to."),
    ),
    CommandFact(
        "tokens",
        ("create", "revoke", "list"),
        Phrase("Bearer tokens of the metering and the admin API."),
    ),
)
