-- The commit path: positional parameters, one statement prepared once, run for every row.

-- name: identities_insert!
-- Claims, every request and void. Duplicates change nothing; any other constraint is an error.
insert into identities (profile_id, identity, content) values (?1, ?2, ?3)
on conflict (profile_id, identity) do nothing;

-- name: identities_stored
-- Claims, only where there are repeats: what was first recorded under identities, a JSON list of
-- [profile_id, hex]. By primary key.
select i.profile_id, i.identity, i.content
from json_each(:identities) a
join identities i on i.profile_id = a.value ->> 0 and i.identity = unhex(a.value ->> 1);

-- name: requests_insert!
-- Recorder, every request: the fields of MeteredRequest less identity and content, then the commit.
insert into requests (
  profile_id, query_log_id, time_ms, key_id, log_type_id, channel, credits_micro, method, path,
  status_code, duration_ms, response_size, ip, authentication_type, commit_id
) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: captures_insert!
-- Recorder, for requests that carry headers or bodies.
insert into captures (profile_id, query_log_id, request_headers, request_body, response_body)
values (?1, ?2, ?3, ?4, ?5);

-- name: quarters_add!
-- Recorder, one row for each quarter hour, key, log type and channel of a batch.
insert into quarters
  (profile_id, quarter, key_id, log_type_id, channel, requests, credits_micro, last_ms)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict (profile_id, quarter, key_id, log_type_id, channel) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro,
  last_ms = max(last_ms, excluded.last_ms);

-- name: days_add!
-- Recorder and the rebuilding of days.
insert into days
  (profile_id, zone_version, day, log_type_id, key_id, requests, credits_micro, last_ms)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict (profile_id, zone_version, day, log_type_id, key_id) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro,
  last_ms = max(last_ms, excluded.last_ms);

-- name: day_log_types_add!
-- Recorder and the rebuilding of days.
insert into day_log_types
  (profile_id, zone_version, day, log_type_id, requests, credits_micro, last_ms)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (profile_id, zone_version, day, log_type_id) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro,
  last_ms = max(last_ms, excluded.last_ms);

-- name: day_keys_add!
-- Recorder and the rebuilding of days.
insert into day_keys
  (profile_id, zone_version, day, key_id, channel, requests, credits_micro, last_ms)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
on conflict (profile_id, zone_version, day, key_id, channel) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro,
  last_ms = max(last_ms, excluded.last_ms);

-- name: transfers_insert!
-- Journal, before each commit that moved credits.
insert into transfers
  (profile_id, commit_id, ordinal, at_ms, kind, debit_account, credit_account, amount_micro)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: accounts_add!
-- Journal, before each commit that moved credits: what it adds to accounts, one row each. It brings
-- the sums: the checks are asked of what is brought, before it is known to be there.
insert into accounts (profile_id, account, debits_micro, credits_micro)
values (
  ?1, ?2,
  ?3 + coalesce((select debits_micro from accounts where profile_id = ?1 and account = ?2), 0),
  ?4 + coalesce((select credits_micro from accounts where profile_id = ?1 and account = ?2), 0)
)
on conflict (profile_id, account) do update set
  debits_micro = excluded.debits_micro, credits_micro = excluded.credits_micro;

-- name: charges_add!
-- Books: a batch's requests and credits by log type and quarter hour of the commit.
insert into charges (profile_id, quarter, log_type_id, is_history, requests, credits_micro)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (profile_id, quarter, log_type_id, is_history) do update set
  requests = requests + excluded.requests,
  credits_micro = credits_micro + excluded.credits_micro;

-- name: clock_high_water
-- Recorder, at start: no instant before this one comes again.
select max(
  coalesce((select at_ms from commits order by commit_id desc limit 1), 0),
  coalesce((select at_ms from changes order by change_id desc limit 1), 0),
  coalesce((select max(ended_at_ms) from leases), 0)
);
