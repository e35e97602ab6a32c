-- Users and keys in memory: all, or one by its id.

-- name: directory_users
-- Directory: all users, or one.
select user_id, profile_id, nickname, email, is_owner, created_at_ms from users
where (:user_id::text is null or user_id = :user_id::text)
order by created_at_ms, user_id;

-- name: directory_keys
-- Directory: all keys, or one, each with what it may call (a JSON list, null is all).
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from, family_id, ip_ranges, credits_cap_micro, (
    select json_agg(t.log_type_id order by t.log_type_id)::text from key_log_types t
    where t.profile_id = keys.profile_id and t.key_id = keys.key_id) as log_type_ids
from keys
where (:key_id::text is null or key_id = :key_id::text)
order by created_at_ms, key_id;
