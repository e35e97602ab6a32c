-- Corrections: the writes and reads of the admin API.

-- name: correction_insert!
-- Corrections: a new one; the books move the credits.
insert into corrections
  (profile_id, correction_id, query_log_id, credits_micro, reason, at_ms, commit_id)
values
  (:profile_id, :correction_id, :query_log_id, :credits_micro, :reason, :at_ms, :commit_id);

-- name: correction_last
-- Corrections: the last id of a workspace.
select max(correction_id) from corrections where profile_id = :profile_id;

-- name: correction_request
-- Corrections: whether a workspace has a request. By primary key.
select 1 from requests where profile_id = :profile_id and query_log_id = :query_log_id;

-- name: corrections_page
-- Corrections: a page of the list, by primary key.
select correction_id, query_log_id, credits_micro, reason, at_ms from corrections
where profile_id = :profile_id and correction_id > :after
order by correction_id limit :count;
