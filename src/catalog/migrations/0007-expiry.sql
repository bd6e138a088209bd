-- Snapshots whose time is over are looked for every minute.
create index snapshots_by_expiry on snapshots (expires_at) where deleted_at is null and state = 'completed';
