-- Exports of snapshots, the buckets they go to, what a schedule exports; and how a collection restore job was asked for.

create table export_buckets (
  id text primary key,
  project_id text not null references projects (id),
  bucket_name text not null,
  iam_role_id text not null,
  region text,
  created_at timestamptz not null,
  -- Exports that went there still name it.
  deleted_at timestamptz
);
create index export_buckets_by_project on export_buckets (project_id, created_at, id) where deleted_at is null;

-- State and cause are those of the job.
create table exports (
  id text primary key,
  project_id text not null references projects (id),
  cluster_id text not null references clusters (id),
  cluster_name text not null,
  snapshot_id text not null,
  bucket_id text not null references export_buckets (id),
  job_id text not null references jobs (id) on delete cascade,
  prefix text not null,
  labels jsonb not null,
  created_at timestamptz not null,
  exported_collections integer not null default 0,
  total_collections integer not null default 0
);
create index exports_by_cluster on exports (cluster_id, created_at desc, id desc);
create index exports_by_bucket on exports (bucket_id);
create unique index exports_by_job on exports (job_id);
-- Two exports never write below one prefix, whatever bucket they name.
create unique index exports_by_prefix on exports (prefix);

alter table schedules add column export jsonb;

create table collection_restores (
  restore_id text primary key references restores (id) on delete cascade,
  cluster_id text not null references clusters (id),
  created_at timestamptz not null,
  -- As it was asked for.
  request jsonb not null
);
create index collection_restores_by_cluster on collection_restores (cluster_id, created_at desc, restore_id desc);
