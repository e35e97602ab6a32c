-- What several processes on one database share. Names and suffixes as in 0001.

-- What one of them does for all: whose it is, and until when.
create table duties (
  name text primary key,
  holder text not null,
  until_ms integer not null
) strict, without rowid;

-- The customers' own calls, which a limit of their own counts by the minute.
create index requests_self on requests (profile_id, query_log_id) where channel = 'self';
