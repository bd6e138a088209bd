-- Backup schedules of clusters. A cluster without a row takes nothing by itself.

create table schedules (
  cluster_id text primary key references clusters (id),
  items jsonb not null,
  reference_hour integer not null check (reference_hour between 0 and 23),
  reference_minute integer not null check (reference_minute between 0 and 59),
  restore_window_days integer not null,
  extra_days jsonb not null,
  forms jsonb not null,
  handled_until timestamptz not null,
  owed jsonb not null,
  failures integer not null,
  retry_at timestamptz,
  -- When to look again; null: never.
  next_at timestamptz
);
create index schedules_by_next on schedules (next_at) where next_at is not null;

-- One snapshot for a cluster and due time, whoever asked for it.
create table schedule_runs (
  cluster_id text not null references clusters (id),
  due_at timestamptz not null,
  snapshot_id text not null references snapshots (id),
  items jsonb not null,
  missed integer not null,
  -- The end of its snapshot was taken into account.
  settled_at timestamptz,
  primary key (cluster_id, due_at)
);
create index schedule_runs_open on schedule_runs (cluster_id) where settled_at is null;
create index schedule_runs_by_snapshot on schedule_runs (snapshot_id);

alter table snapshots add column policy_items jsonb;
alter table snapshots add column expiry_by_hand boolean not null default false;
