-- Restores to an instant between two snapshots: which entries count, and of which chain.

alter table restores
  add column chain_id text,
  add column border_t bigint,
  add column border_i bigint,
  -- As it was asked for; null: by position.
  add column asked_time_ms bigint,
  add constraint instant_is_whole check ((chain_id is null) = (border_t is null) and (border_t is null) = (border_i is null));
