-- Who follows which cluster's oplog, and the chains that were written. All but the leases can be made again from the store.

alter table clusters add column continuous_backup boolean not null default false;

-- Bases of a chain are snapshots of the same replica set.
alter table snapshots add column replica_set_id text;
create index snapshots_by_instant on snapshots (cluster_id, point_in_time_t, point_in_time_i)
  where deleted_at is null and state = 'completed' and consistency = 'point-in-time';

create table tailers (
  cluster_id text primary key references clusters (id) on delete cascade,
  owner text,
  token bigint not null default 0,
  expires_at timestamptz,
  state text not null default 'starting' check (state in ('starting', 'running', 'failed', 'stopped')),
  chain_id text,
  -- Why the chain has to end although it could go on; whoever follows the cluster does it.
  end_requested text,
  member text,
  position_t bigint,
  position_i bigint,
  oldest_t bigint,
  oldest_i bigint,
  newest_t bigint,
  newest_i bigint,
  -- The oplog was seen to drop its oldest entries.
  rolls boolean not null default false,
  warning text,
  status_at timestamptz,
  error_code text,
  error_message text,
  error_hint text,
  error_at timestamptz
) with (fillfactor = 70);

create table chains (
  id text primary key,
  cluster_id text not null references clusters (id) on delete cascade,
  replica_set_id text,
  from_t bigint not null,
  from_i bigint not null,
  to_t bigint not null,
  to_i bigint not null,
  slices bigint not null default 0,
  records bigint not null default 0,
  raw_bytes bigint not null default 0,
  stored_bytes bigint not null default 0,
  created_at timestamptz not null,
  newest_slice_at timestamptz,
  ended_reason text,
  ended_message text,
  ended_at timestamptz,
  check ((ended_reason is null) = (ended_at is null))
) with (fillfactor = 70);
create index chains_by_cluster on chains (cluster_id, created_at desc, id desc);
-- Of one cluster at most one goes on.
create unique index chains_open on chains (cluster_id) where ended_at is null;
