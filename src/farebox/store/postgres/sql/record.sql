-- The commit path: many rows a statement, a column a parameter, in the order of the rows given.

-- name: identities_insert!
-- Claims, every request and void. Duplicates change nothing; any other constraint is an error.
insert into identities (profile_id, identity, content)
select * from unnest(:c1::bigint[], :c2::bytea[], :c3::bytea[])
on conflict (profile_id, identity) do nothing;

-- name: identities_stored
-- Claims, only where there are repeats: what was first recorded under identities, a JSON list of
-- [profile_id, hex]. By primary key.
select i.profile_id, i.identity, i.content
from jsonb_array_elements(:identities::text::jsonb) as asked (pair)
join identities i on i.profile_id = (asked.pair ->> 0)::bigint
  and i.identity = decode(asked.pair ->> 1, 'hex');

-- name: requests_insert!
-- Recorder, every request: the fields of MeteredRequest less identity and content, then the commit.
insert into requests (
  profile_id, query_log_id, time_ms, key_id, log_type_id, channel, credits_micro, method, path,
  status_code, duration_ms, response_size, ip, authentication_type, commit_id
)
select * from unnest(
  :c1::bigint[], :c2::bytea[], :c3::bigint[], :c4::text[], :c5::bigint[], :c6::text[],
  :c7::bigint[], :c8::text[], :c9::text[], :c10::bigint[], :c11::bigint[], :c12::bigint[],
  :c13::text[], :c14::text[], :c15::bigint[]);

-- name: captures_insert!
-- Recorder, for requests that carry headers or bodies.
insert into captures (profile_id, query_log_id, request_headers, request_body, response_body)
select * from unnest(:c1::bigint[], :c2::bytea[], :c3::text[], :c4::text[], :c5::text[]);

-- name: quarters_add!
-- Recorder, one row for each quarter hour, key, log type and channel of a batch.
insert into quarters as kept (
  profile_id, quarter, key_id, log_type_id, channel, requests, credits_micro, last_ms, slot
)
select *, current_setting('farebox.slot')::smallint from unnest(
  :c1::bigint[], :c2::bigint[], :c3::text[], :c4::bigint[], :c5::text[], :c6::bigint[],
  :c7::bigint[], :c8::bigint[])
on conflict (profile_id, quarter, key_id, log_type_id, channel, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro,
  last_ms = greatest(kept.last_ms, excluded.last_ms);

-- name: days_add!
-- Recorder and the rebuilding of days.
insert into days as kept (
  profile_id, zone_version, day, log_type_id, key_id, requests, credits_micro, last_ms, slot
)
select *, current_setting('farebox.slot')::smallint from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::bigint[], :c5::text[], :c6::bigint[],
  :c7::bigint[], :c8::bigint[])
on conflict (profile_id, zone_version, day, log_type_id, key_id, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro,
  last_ms = greatest(kept.last_ms, excluded.last_ms);

-- name: day_log_types_add!
-- Recorder and the rebuilding of days.
insert into day_log_types as kept (
  profile_id, zone_version, day, log_type_id, requests, credits_micro, last_ms, slot
)
select *, current_setting('farebox.slot')::smallint from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::bigint[], :c5::bigint[], :c6::bigint[],
  :c7::bigint[])
on conflict (profile_id, zone_version, day, log_type_id, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro,
  last_ms = greatest(kept.last_ms, excluded.last_ms);

-- name: day_keys_add!
-- Recorder and the rebuilding of days.
insert into day_keys as kept (
  profile_id, zone_version, day, key_id, channel, requests, credits_micro, last_ms, slot
)
select *, current_setting('farebox.slot')::smallint from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::text[], :c5::text[], :c6::bigint[],
  :c7::bigint[], :c8::bigint[])
on conflict (profile_id, zone_version, day, key_id, channel, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro,
  last_ms = greatest(kept.last_ms, excluded.last_ms);

-- name: transfers_insert!
-- Journal, before each commit that moved credits.
insert into transfers
  (profile_id, commit_id, ordinal, at_ms, kind, debit_account, credit_account, amount_micro)
select * from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::bigint[], :c5::text[], :c6::text[],
  :c7::text[], :c8::bigint[]);

-- name: accounts_add!
-- Journal, before each commit that moved credits: what it adds to accounts, one row each. Not an
-- upsert: the checks would be asked of what is added, and not of the sum. What several nodes add to
-- at once has a row a node.
with added as materialized (
  select profile_id, account, debits_micro, credits_micro,
    case when account like 'drawn:%%' or account in ('spent', 'history')
      then current_setting('farebox.slot')::smallint else 0::smallint end as slot
  from unnest(:c1::bigint[], :c2::text[], :c3::bigint[], :c4::bigint[])
    as given (profile_id, account, debits_micro, credits_micro)
), updated as (
  update accounts a set
    debits_micro = a.debits_micro + added.debits_micro,
    credits_micro = a.credits_micro + added.credits_micro
  from added
  where a.profile_id = added.profile_id and a.account = added.account and a.slot = added.slot
)
insert into accounts (profile_id, account, debits_micro, credits_micro, slot)
select profile_id, account, debits_micro, credits_micro, slot from added
where not exists (
  select from accounts a
  where a.profile_id = added.profile_id and a.account = added.account and a.slot = added.slot);

-- name: charges_add!
-- Books: a batch's requests and credits by log type and quarter hour of the commit.
insert into charges as kept
  (profile_id, quarter, log_type_id, is_history, requests, credits_micro, slot)
select *, current_setting('farebox.slot')::smallint from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::bigint[], :c5::bigint[], :c6::bigint[])
on conflict (profile_id, quarter, log_type_id, is_history, slot) do update set
  requests = kept.requests + excluded.requests,
  credits_micro = kept.credits_micro + excluded.credits_micro;

-- name: clock_high_water
-- Recorder, at start: no instant before this one comes again. By indexes; commits of several nodes
-- aren't in the order of their ids.
select greatest(
  coalesce((select max(at_ms) from commits), 0),
  coalesce((select at_ms from changes order by change_id desc limit 1), 0),
  coalesce((select max(ended_at_ms) from leases), 0)
);
