"""Every named query of PostgreSQL fits the schema, whatever its parameters are, null or not.

What it answers are whole numbers, texts and bytes, as with SQLite.
"""

from __future__ import annotations

import pytest
from psycopg import pq

from farebox.store.postgres.database import PostgresDatabase
from farebox.store.postgres.statements import Statement, named_statements

# bigint, smallint, integer, text, bytea and void. A sum has none of them until it is cast.
PLAIN = {20, 21, 23, 25, 17, 2278}


def misfit(database: PostgresDatabase, statement: Statement) -> str:
    """What the server says against a query whose parameters have no types of their own."""
    pgconn = database.connection.pgconn
    prepared = pgconn.prepare(b"", statement.sql)
    if prepared.status != pq.ExecStatus.COMMAND_OK:
        return f"{statement.name}: {prepared.error_message.decode()}"
    result = pgconn.describe_prepared(b"")
    odd = {result.ftype(column) for column in range(result.nfields)} - PLAIN
    return f"{statement.name}: its results have the types {odd}" if odd else ""


def test_every_postgresql_query_fits_the_schema(database: PostgresDatabase) -> None:
    with database.copying():
        misfits = [misfit(database, each) for each in named_statements().values()]
    found = [told for told in misfits if told]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_column_of_many_rows_has_its_type() -> None:
    for statement in named_statements().values():
        numbered = {name for name in statement.parameters if name.lstrip("c").isdecimal()}
        assert len(numbered) == len(statement.columns), statement.name
