-- The audit: the log row by row, and its days, from lists of spans in JSON. What nodes keep apart
-- is summed over their slots.

-- name: audit_log
-- Audit, by workspace: one pass over the log; mistimed rows lie elsewhere than their time says.
select count(*) as requests, cast(coalesce(sum(credits_micro), 0) as bigint) as credits_micro,
  count(*) filter (where decode('0000', 'hex') || substr(query_log_id, 1, 6) <> int8send(time_ms))
    as mistimed,
  (select count(*) from identities i
    where i.profile_id = :profile_id
      and i.content <> decode(repeat('00', 16), 'hex')) as identities,
  (select count(*) from captures c where c.profile_id = :profile_id) as captures,
  (select count(*) from quarters q where q.profile_id = :profile_id) as quarters,
  (select count(*) from charges c where c.profile_id = :profile_id) as charges,
  (select count(*) from transfers t where t.profile_id = :profile_id) as transfers,
  (select count(*) from corrections c where c.profile_id = :profile_id) as corrections
from requests where profile_id = :profile_id;

-- name: audit_mistimed
-- Audit, by workspace, only when there are some.
select upper(encode(query_log_id, 'hex')) as query_log_id,
  upper(lpad(to_hex(time_ms), 12, '0')) as expected,
  upper(encode(substr(query_log_id, 1, 6), 'hex')) as found, count(*) over () as gaps
from requests
where profile_id = :profile_id
  and decode('0000', 'hex') || substr(query_log_id, 1, 6) <> int8send(time_ms)
limit :limit;

-- name: audit_captures
-- Audit, by workspace: captures of no log row.
select upper(encode(c.query_log_id, 'hex')) as query_log_id, count(*) over () as gaps
from captures c
where c.profile_id = :profile_id and not exists (
  select 1 from requests r
  where r.profile_id = c.profile_id and r.query_log_id = c.query_log_id
)
limit :limit;

-- name: audit_days
-- Audit, by workspace and zone version: quarters by day against days. `spans` is JSON, a list of
-- [first quarter, end quarter, day]; each span is one range of the primary key, and `offset 0` has
-- it looked up so: else every span might be held against every row.
with spans (first_quarter, end_quarter, day) as materialized (
  select cast(span ->> 0 as bigint), cast(span ->> 1 as bigint), cast(span ->> 2 as bigint)
  from jsonb_array_elements(cast(:spans as jsonb)) as listed (span)
)
select cast(:zone_version as bigint) as zone_version,
  null as quarter, day, log_type_id, key_id, null as channel,
  cast(sum(n) as bigint) as requests, cast(sum(micro) as bigint) as credits_micro,
  max(ms) as last_ms, cast(sum(kept_n) as bigint) as kept_requests,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.log_type_id, q.key_id, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join lateral (
    select * from quarters
    where profile_id = :profile_id and quarter >= s.first_quarter and quarter < s.end_quarter
    offset 0
  ) q
  union all
  select day, log_type_id, key_id, 0, 0, null, requests, credits_micro, last_ms
  from days where profile_id = :profile_id and zone_version = :zone_version
) compared
group by day, log_type_id, key_id
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro)
  or max(ms) is distinct from max(kept_ms)
limit :limit;

-- name: audit_day_log_types
-- Audit, by workspace and zone version: quarters by day against day_log_types; see audit_days.
with spans (first_quarter, end_quarter, day) as materialized (
  select cast(span ->> 0 as bigint), cast(span ->> 1 as bigint), cast(span ->> 2 as bigint)
  from jsonb_array_elements(cast(:spans as jsonb)) as listed (span)
)
select cast(:zone_version as bigint) as zone_version,
  null as quarter, day, log_type_id, null as key_id,
  null as channel,
  cast(sum(n) as bigint) as requests, cast(sum(micro) as bigint) as credits_micro,
  max(ms) as last_ms, cast(sum(kept_n) as bigint) as kept_requests,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.log_type_id, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join lateral (
    select * from quarters
    where profile_id = :profile_id and quarter >= s.first_quarter and quarter < s.end_quarter
    offset 0
  ) q
  union all
  select day, log_type_id, 0, 0, null, requests, credits_micro, last_ms
  from day_log_types where profile_id = :profile_id and zone_version = :zone_version
) compared
group by day, log_type_id
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro)
  or max(ms) is distinct from max(kept_ms)
limit :limit;

-- name: audit_day_keys
-- Audit, by workspace and zone version: quarters by day against day_keys; see audit_days.
with spans (first_quarter, end_quarter, day) as materialized (
  select cast(span ->> 0 as bigint), cast(span ->> 1 as bigint), cast(span ->> 2 as bigint)
  from jsonb_array_elements(cast(:spans as jsonb)) as listed (span)
)
select cast(:zone_version as bigint) as zone_version,
  null as quarter, day, null as log_type_id, key_id, channel,
  cast(sum(n) as bigint) as requests, cast(sum(micro) as bigint) as credits_micro,
  max(ms) as last_ms, cast(sum(kept_n) as bigint) as kept_requests,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select s.day, q.key_id, q.channel, q.requests as n, q.credits_micro as micro,
    q.last_ms as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from spans s
  cross join lateral (
    select * from quarters
    where profile_id = :profile_id and quarter >= s.first_quarter and quarter < s.end_quarter
    offset 0
  ) q
  union all
  select day, key_id, channel, 0, 0, null, requests, credits_micro, last_ms
  from day_keys where profile_id = :profile_id and zone_version = :zone_version
) compared
group by day, key_id, channel
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro)
  or max(ms) is distinct from max(kept_ms)
limit :limit;

-- name: audit_integrity
-- Audit, when asked: what the engine itself knows to be wrong; "ok" when nothing is. It tells of
-- pages whose sums were wrong when they were read, if the cluster keeps sums of them.
select message from (
  select format('%%s pages of the database had wrong checksums', checksum_failures) as message
  from pg_stat_database where datname = current_database() and checksum_failures > 0
  union all
  select format('the index %%s of %%s is not valid', x.indexrelid::regclass, x.indrelid::regclass)
  from pg_index x
  join pg_class c on c.oid = x.indrelid
  where c.relnamespace = current_schema()::regnamespace
    and not (x.indisvalid and x.indisready and x.indislive)
  union all
  select format('the rule %%s of %%s was never checked', r.conname, r.conrelid::regclass)
  from pg_constraint r
  where r.connamespace = current_schema()::regnamespace and not r.convalidated
  union all
  select 'ok'
) told
limit :limit;
