-- For the lists of snapshots that are not completed: a few among a hundred thousand.
create index snapshots_unfinished on snapshots (cluster_id, requested_at desc, id desc)
  where deleted_at is null and state <> 'completed';

-- The form that a restore was asked for in, where only that form reads it again.
alter table restores add column form text;
