-- Keys: the writes and reads of the admin API.

-- name: key_get
-- Keys: one of a workspace.
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from, family_id, ip_ranges, credits_cap_micro, (
    select cast(json_agg(t.log_type_id order by t.log_type_id) as text) from key_log_types t
    where t.profile_id = keys.profile_id and t.key_id = keys.key_id) as log_type_ids
from keys where key_id = :key_id and profile_id = :profile_id;

-- name: keys_page
-- Keys: a page of the list, the oldest first.
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from, family_id, ip_ranges, credits_cap_micro, (
    select cast(json_agg(t.log_type_id order by t.log_type_id) as text) from key_log_types t
    where t.profile_id = keys.profile_id and t.key_id = keys.key_id) as log_type_ids
from keys
where profile_id = :profile_id and (created_at_ms, key_id) > (:after_ms, :after_id)
order by created_at_ms, key_id limit :count;
