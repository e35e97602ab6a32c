-- The log's rows. Lists come in as JSON, null for no filter. Ids go out in hex, lists as one JSON
-- text.

-- name: logs_count
-- Logs: how many requests of a part match. The filters are those of logs_ranked.
select count(*) from requests
where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
  and (:key_ids is null or key_id in (select value from json_each(:key_ids)))
  and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
  and (:status_codes is null or status_code in (select value from json_each(:status_codes)))
  and (:methods is null or method in (select value from json_each(:methods)))
  and (:search is null or path like :search escape '\' or ip like :search escape '\'
    or key_id in (select value from json_each(:search_key_ids)));

-- name: logs_ranked
-- Logs: [id, value] of a part's matches, in order; the value is null in the order of time.
select json_group_array(json_array(lower(hex(query_log_id)), ranked))
from (
  select query_log_id,
    case :order_by
      when 'duration_ms' then duration_ms
      when 'credits' then credits_micro
      when 'status_code' then status_code
      when 'response_size' then response_size
    end as ranked
  from requests
  where profile_id = :profile_id and query_log_id >= :first_id and query_log_id < :end_id
    and (:key_ids is null or key_id in (select value from json_each(:key_ids)))
    and (:log_type_ids is null or log_type_id in (select value from json_each(:log_type_ids)))
    and (:status_codes is null or status_code in (select value from json_each(:status_codes)))
    and (:methods is null or method in (select value from json_each(:methods)))
    and (:search is null or path like :search escape '\' or ip like :search escape '\'
      or key_id in (select value from json_each(:search_key_ids)))
  order by
    case when :is_ascending then ranked end,
    case when not :is_ascending then ranked end desc,
    case when :is_ascending and :order_by = 'created_at' then query_log_id end,
    query_log_id desc
  limit :rows_max offset :rows_skipped
);

-- name: logs_rows
-- Logs: the rows of a page, each by primary key, in any order.
select json_group_array(json_array(
  lower(hex(r.query_log_id)), r.time_ms, u.user_id, r.method, r.path, r.status_code,
  r.duration_ms, r.log_type_id, r.authentication_type, k.masked_authentication, r.response_size,
  r.ip, u.email, u.nickname, t.slug, r.credits_micro, t.name, r.key_id, k.name))
from json_each(:query_log_ids) wanted
cross join requests r on r.profile_id = :profile_id and r.query_log_id = unhex(wanted.value)
join keys k on k.key_id = r.key_id
join users u on u.user_id = k.user_id
left join log_types t on t.log_type_id = r.log_type_id;
