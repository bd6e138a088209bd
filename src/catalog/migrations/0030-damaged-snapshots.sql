-- Since when checks name a snapshot as one that can't be read whole; null: none does. It replaces no older one.
alter table snapshots add column damaged_at timestamptz;
create index snapshots_damaged on snapshots (damaged_at) where damaged_at is not null;
