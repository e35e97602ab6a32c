-- What was changed, by whom and when; and the answers to writes that carry an Idempotency-Key.

-- name: changes_insert!
-- Transaction, for every admin write; under the lock of the changes where several
-- nodes write, so that ids become visible in order.
insert into changes (at_ms, actor, action, kind, ref, profile_id, detail)
values (:at_ms, :actor, :action, :kind, :ref, :profile_id, :detail);

-- name: changes_last
-- Directory and recorder: the newest change.
select max(change_id) from changes;

-- name: changes_since
-- Directory: what to read again.
select change_id, kind, ref, profile_id from changes
where change_id > :change_id order by change_id;

-- name: idempotency_get
-- Recorder, for a call with an Idempotency-Key.
select fingerprint, answer from idempotency_keys
where actor = :actor and idempotency_key = :idempotency_key;

-- name: idempotency_insert!
-- Recorder, in the transaction of the write itself.
insert into idempotency_keys (actor, idempotency_key, fingerprint, answer, at_ms)
values (:actor, :idempotency_key, :fingerprint, :answer, :at_ms);

-- name: idempotency_forget!
-- Recorder, now and then.
delete from idempotency_keys where at_ms < :before_ms;
