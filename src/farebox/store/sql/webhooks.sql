-- Webhooks: endpoints, the outbox and its deliveries.

-- name: webhook_message_insert!
-- Outbox: a message.
insert into webhook_messages (profile_id, message_id, event_type, payload, at_ms)
values (:profile_id, :message_id, :event_type, :payload, :at_ms);

-- name: webhook_insert!
-- Webhooks: a new endpoint.
insert into webhooks (profile_id, webhook_id, url, event_types, created_at_ms)
values (:profile_id, :webhook_id, :url, :event_types, :created_at_ms);

-- name: webhook_update!
-- Webhooks: all that can change of an endpoint.
update webhooks set url = :url, event_types = :event_types, disabled_at_ms = :disabled_at_ms
where webhook_id = :webhook_id;

-- name: webhook_disable!
-- Deliveries: the end of an endpoint that says it is gone.
update webhooks set disabled_at_ms = :at_ms
where webhook_id = :webhook_id and disabled_at_ms is null;

-- name: webhook_delete!
-- Webhooks: the end of an endpoint for good.
update webhooks set deleted_at_ms = :at_ms
where webhook_id = :webhook_id and deleted_at_ms is null;

-- name: webhook_get
-- Webhooks: one endpoint, unless it was deleted.
select profile_id, webhook_id, url, event_types, created_at_ms, disabled_at_ms from webhooks
where webhook_id = :webhook_id and deleted_at_ms is null;

-- name: webhooks_count
-- Webhooks: how many endpoints a workspace has. By primary key.
select count(*) from webhooks where profile_id = :profile_id and deleted_at_ms is null;

-- name: webhooks_page
-- Webhooks: a page of the list, the oldest first; of one workspace or all.
select profile_id, webhook_id, url, event_types, created_at_ms, disabled_at_ms from webhooks
where (cast(:profile_id as bigint) is null or profile_id = :profile_id) and deleted_at_ms is null
  and (created_at_ms, webhook_id) > (:after_ms, :after_id)
order by created_at_ms, webhook_id limit :count;

-- name: deliveries_next
-- Deliverer: when something is due next. By index, one row.
select min(next_attempt_at_ms) from deliveries where next_attempt_at_ms is not null;

-- name: deliveries_due
-- Deliveries: what is due for an endpoint, the oldest first. By index.
select d.profile_id, d.message_id, d.attempts, m.payload
from deliveries d
join webhook_messages m using (profile_id, message_id)
where d.webhook_id = :webhook_id and d.next_attempt_at_ms <= :now_ms
order by d.next_attempt_at_ms limit :count;

-- name: delivery_claim!
-- Deliveries: an attempt begins; nobody else makes another before it must be over.
update deliveries set attempts = attempts + 1, last_attempt_at_ms = :now_ms,
  next_attempt_at_ms = :until_ms
where profile_id = :profile_id and message_id = :message_id and webhook_id = :webhook_id;

-- name: delivery_delivered!
-- Deliveries: the endpoint has taken it, even if a later attempt has begun meanwhile.
update deliveries set next_attempt_at_ms = null, gave_up_at_ms = null,
  delivered_at_ms = coalesce(delivered_at_ms, :now_ms),
  last_status = :status, last_duration_ms = :duration_ms, last_error = null
where profile_id = :profile_id and message_id = :message_id and webhook_id = :webhook_id;

-- name: delivery_failed!
-- Deliveries: an attempt has failed; it is tried again, or given up. Only the last attempt counts.
update deliveries set next_attempt_at_ms = :next_attempt_at_ms, gave_up_at_ms = :gave_up_at_ms,
  last_status = :status, last_duration_ms = :duration_ms, last_error = :error
where profile_id = :profile_id and message_id = :message_id and webhook_id = :webhook_id
  and attempts = :attempts and next_attempt_at_ms is not null;

-- name: delivery_give_up!
-- Deliveries: what is due for an endpoint that has ended.
update deliveries set next_attempt_at_ms = null, gave_up_at_ms = :now_ms, last_error = :error
where profile_id = :profile_id and message_id = :message_id and webhook_id = :webhook_id;

-- name: deliveries_page
-- Webhooks: a page of an endpoint's log, the newest first. By index.
select d.message_id, d.profile_id, m.event_type, d.at_ms, d.attempts, d.next_attempt_at_ms,
  d.last_attempt_at_ms, d.last_status, d.last_duration_ms, d.last_error, d.delivered_at_ms,
  d.gave_up_at_ms
from deliveries d
join webhook_messages m using (profile_id, message_id)
where d.webhook_id = :webhook_id and (d.at_ms, d.message_id) < (:before_ms, :before_id)
order by d.at_ms desc, d.message_id desc limit :count;

-- name: webhook_messages_oldest
-- Deliverer, now and then: whether there is anything to forget. By index, one row.
select min(at_ms) from webhook_messages;

-- name: webhook_messages_old
-- Deliveries, now and then: messages whose time is over. By index.
select profile_id, message_id from webhook_messages
where at_ms < :before_ms order by at_ms limit :count;
