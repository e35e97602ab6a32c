-- Refusals: their counts, and the newest explained.

-- name: refusal_source_sequence
-- Refusals: the last batch of a process that was counted.
select sequence from refusal_sources where source = :source;

-- name: refusal_source_put!
-- Refusals: a batch of a process is counted.
insert into refusal_sources (source, sequence, at_ms) values (:source, :sequence, :at_ms)
on conflict (source) do update set sequence = excluded.sequence, at_ms = excluded.at_ms;

-- name: refusal_sources_forget!
-- Refusals, with the first batch of a process: those of processes that have long ended.
delete from refusal_sources where at_ms < :before_ms;

-- name: refusal_log_last
-- Refusals: the last id in the log. The newest of a workspace are never pruned.
select max(refusal_id) from refusal_log;

-- name: refusal_log_prune!
-- Refusals: all of a workspace's but the newest. By primary key.
delete from refusal_log
where profile_id = :profile_id and refusal_id <= (
  select refusal_id from refusal_log where profile_id = :profile_id
  order by refusal_id desc limit 1 offset :kept
);

-- name: refusal_ids
-- Refusals: a page of the ids of all workspaces, by the index of ids.
select refusal_id from refusal_log where refusal_id < :before
order by refusal_id desc limit :count;

-- name: refusal_ids_of_reason
-- Refusals: the same of one reason, by the index of reasons.
select refusal_id from refusal_log where denied_by = :denied_by and refusal_id < :before
order by refusal_id desc limit :count;

-- name: refusal_ids_of_workspace
-- Refusals: the same of one workspace, by primary key; there are at most 1,000 to look at.
select refusal_id from refusal_log
where profile_id = :profile_id and refusal_id < :before
  and (cast(:key_id as text) is null or key_id = :key_id)
  and (cast(:denied_by as text) is null or denied_by = :denied_by)
order by refusal_id desc limit :count;

-- name: refusal_key_workspace
-- Refusals of a key: the workspace that it belongs to.
select profile_id from keys where key_id = :key_id;
