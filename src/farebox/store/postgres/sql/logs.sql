-- The log's rows. Lists come in as JSON, null for no filter. Ids go out in hex, lists as one JSON
-- text. Terms are sought as bytes are compared: of the letters those of ASCII alone have a case.

-- name: logs_count
-- Logs: how many requests of a part match. The filters are those of logs_ranked.
select count(*) from requests
where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
  and (cast(:key_ids as text) is null or key_id in (
    select jsonb_array_elements_text(cast(:key_ids as jsonb))))
  and (cast(:log_type_ids as text) is null or log_type_id in (
    select cast(jsonb_array_elements_text(cast(:log_type_ids as jsonb)) as bigint)))
  and (cast(:status_codes as text) is null or status_code in (
    select cast(jsonb_array_elements_text(cast(:status_codes as jsonb)) as bigint)))
  and (cast(:methods as text) is null or method in (
    select jsonb_array_elements_text(cast(:methods as jsonb))))
  and (cast(:search as text) is null
    or path collate "C" ilike :search escape '\' or ip collate "C" ilike :search escape '\'
    or key_id in (select jsonb_array_elements_text(cast(:search_key_ids as jsonb))));

-- name: logs_ranked
-- Logs: [id, value] of a part's matches, in order; the value is null in the order of time.
select cast(coalesce(json_agg(json_build_array(encode(query_log_id, 'hex'), ranked)), '[]') as text)
from (
  select query_log_id, ranked
  from (
    select *,
      case cast(:order_by as text)
        when 'duration_ms' then duration_ms
        when 'credits' then credits_micro
        when 'status_code' then status_code
        when 'response_size' then response_size
      end as ranked
    from requests
  ) request
  where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
    and (cast(:key_ids as text) is null or key_id in (
      select jsonb_array_elements_text(cast(:key_ids as jsonb))))
    and (cast(:log_type_ids as text) is null or log_type_id in (
      select cast(jsonb_array_elements_text(cast(:log_type_ids as jsonb)) as bigint)))
    and (cast(:status_codes as text) is null or status_code in (
      select cast(jsonb_array_elements_text(cast(:status_codes as jsonb)) as bigint)))
    and (cast(:methods as text) is null or method in (
      select jsonb_array_elements_text(cast(:methods as jsonb))))
    and (cast(:search as text) is null
      or path collate "C" ilike :search escape '\' or ip collate "C" ilike :search escape '\'
      or key_id in (select jsonb_array_elements_text(cast(:search_key_ids as jsonb))))
  order by
    case when cast(:is_ascending as bigint) = 1 then ranked end nulls first,
    case when cast(:is_ascending as bigint) = 0 then ranked end desc nulls last,
    case when cast(:is_ascending as bigint) = 1 and cast(:order_by as text) = 'created_at'
      then query_log_id end,
    query_log_id desc
  limit cast(:rows_max as bigint) offset cast(:rows_skipped as bigint)
) ordered;

-- name: logs_rows
-- Logs: the rows of a page, each by primary key, in any order.
select cast(coalesce(json_agg(json_build_array(
  encode(r.query_log_id, 'hex'), r.time_ms, u.user_id, r.method, r.path, r.status_code,
  r.duration_ms, r.log_type_id, r.authentication_type, k.masked_authentication, r.response_size,
  r.ip, u.email, u.nickname, t.slug, r.credits_micro, t.name, r.key_id, k.name)), '[]') as text)
from requests r
join keys k on k.key_id = r.key_id
join users u on u.user_id = k.user_id
left join log_types t on t.log_type_id = r.log_type_id
where r.profile_id = :profile_id and r.query_log_id = any (array(
  select decode(jsonb_array_elements_text(cast(:query_log_ids as jsonb)), 'hex')));
