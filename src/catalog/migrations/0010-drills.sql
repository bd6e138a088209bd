-- Restore drills: what a cluster chose, from when the next one counts, and what each of them proved and took.

alter table clusters add column drill_choices jsonb;
alter table clusters add column drilled_from timestamptz;

-- State and cause are those of the job.
create table drills (
  id text primary key,
  project_id text not null references projects (id),
  cluster_id text not null references clusters (id),
  snapshot_id text not null,
  job_id text not null references jobs (id) on delete cascade,
  trigger text not null check (trigger in ('schedule', 'asked')),
  place text not null check (place in ('scratch', 'mongod')),
  target_cluster_id text,
  namespaces text[] not null,
  created_at timestamptz not null,
  phases jsonb not null default '[]',
  documents bigint,
  bytes bigint,
  collections bigint,
  indexes bigint,
  warnings jsonb not null default '[]',
  -- The journal of what it makes on a target, as in restore_plans.
  plan text,
  settled_at timestamptz
);
create index drills_by_cluster on drills (cluster_id, created_at desc, id desc);
create unique index drills_by_job on drills (job_id);
create index drills_open on drills (job_id) where plan is not null and settled_at is null;
