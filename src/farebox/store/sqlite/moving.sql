-- Statements of a move into the other engine: what a file holds, and of when.

-- name: table_names
-- Moving: the tables, in the order in which they were made.
select name from sqlite_schema where type = 'table' and name not like 'sqlite\_%' escape '\'
order by rowid;

-- name: table_columns
-- Moving: the columns, and each one's place in the key, counted from 1; 0 is none.
select name, pk from pragma_table_info(:name) order by cid;

-- name: table_references
-- Moving: the other tables that rows point to.
select distinct "table" from pragma_foreign_key_list(:name) where "table" <> :name order by 1;

-- name: requests_slices
-- Moving: the first 3 of 6 bytes of milliseconds, four and a half hours each, that the log is of.
select distinct substr(query_log_id, 1, 3) from requests;

-- name: captures_slices
-- Moving: as requests_slices.
select distinct substr(query_log_id, 1, 3) from captures;

-- name: table_count
-- Moving: a frame; the name of the table comes in.
select count(*) from {table};

-- name: table_rows
-- Moving: a frame; the names come in. By primary key.
select {columns} from {table} order by {key};
