"""Errors of PostgreSQL told apart, once, by the codes of the standard.

A broken constraint, a value out of range or one of another form is the row's fault; a query that
was stopped ran too long; everything else is the store's: a lost connection, a shutdown, a lock that
never came, also a deadlock. Details are left out of the text, since they hold the row.
"""

from __future__ import annotations

from psycopg import pq

from farebox.store.contract import ConstraintBrokenError, QueryTimeoutError, StoreFaultError

# "data exception" and "integrity constraint violation"; what is too long for an index.
_OF_THE_ROW = ("22", "23", "54000")
_STOPPED = "57014"
_FATAL = {b"FATAL", b"PANIC"}


def told_apart(result: pq.abc.PGresult) -> Exception:
    """What an error of the server is here."""
    code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    primary = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY)
    text = (primary or result.error_message or b"the connection is lost").decode(errors="replace")
    message = f"{code} {text}".strip()
    if code.startswith(_OF_THE_ROW):
        return ConstraintBrokenError(message)
    if code == _STOPPED:
        return QueryTimeoutError(message)
    return StoreFaultError(message)


def is_fatal(result: pq.abc.PGresult) -> bool:
    """Whether nothing comes after it."""
    severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
    return severity is None or severity in _FATAL
