-- What a look into a test's database finds first: the tables that nodes keep apart as SQLite has
-- them, summed over the slots, and SQLite's words.

create schema seen;

create view seen.quarters as
select profile_id, quarter, key_id, log_type_id, channel, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro, max(last_ms) as last_ms
from quarters group by 1, 2, 3, 4, 5;

create view seen.days as
select profile_id, zone_version, day, log_type_id, key_id,
  cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro, max(last_ms) as last_ms
from days group by 1, 2, 3, 4, 5;

create view seen.day_log_types as
select profile_id, zone_version, day, log_type_id, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro, max(last_ms) as last_ms
from day_log_types group by 1, 2, 3, 4;

create view seen.day_keys as
select profile_id, zone_version, day, key_id, channel, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro, max(last_ms) as last_ms
from day_keys group by 1, 2, 3, 4, 5;

create view seen.ingest_minutes as
select minute, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro
from ingest_minutes group by 1;

create view seen.accounts as
select profile_id, account, cast(sum(debits_micro) as bigint) as debits_micro,
  cast(sum(credits_micro) as bigint) as credits_micro
from accounts group by 1, 2;

create view seen.charges as
select profile_id, quarter, log_type_id, is_history, cast(sum(requests) as bigint) as requests,
  cast(sum(credits_micro) as bigint) as credits_micro
from charges group by 1, 2, 3, 4;

create view seen.refusals as
select profile_id, quarter, key_id, denied_by, is_shadow,
  cast(sum(refusals) as bigint) as refusals, max(last_ms) as last_ms
from refusals group by 1, 2, 3, 4, 5;

create view seen.periods as
select profile_id, start_ms, end_ms, plan_id, plan_micro, opening_micro,
  cast(coalesce(sum(granted_micro), 0) as bigint) as granted_micro,
  cast(coalesce(sum(expired_micro), 0) as bigint) as expired_micro,
  cast(coalesce(sum(charged_micro), 0) as bigint) as charged_micro,
  cast(coalesce(sum(corrected_micro), 0) as bigint) as corrected_micro
from periods left join period_sums using (profile_id, start_ms) group by 1, 2, 3, 4, 5, 6;

create domain seen.blob as bytea;

create function seen.zeroblob(length integer) returns bytea language sql immutable
return decode(repeat('00', length), 'hex');

create function seen.randomblob(length integer) returns bytea language sql volatile
return substr(decode(md5(random()::text), 'hex'), 1, length);

create function seen.unhex(digits text) returns bytea language sql immutable
return decode(digits, 'hex');

-- Of numbers with zeros before them: '%036d', '%012X'.
create function seen.printf(pattern text, number bigint) returns text language sql immutable
return lpad(
  case right(pattern, 1) when 'X' then upper(to_hex(number)) else number::text end,
  cast(substr(pattern, 3, 2) as integer), '0');

create function seen.json_extract(document text, place text) returns jsonb language sql immutable
return jsonb_path_query_first(cast(document as jsonb), cast(place as jsonpath));

create view seen.sqlite_schema as
select 'table' as type, cast(relname as text) as name from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition;
