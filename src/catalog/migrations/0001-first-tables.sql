-- Everything that the first Leafvault knows. Never edited after a release: a change is a new file.

create table organizations (
  id text primary key,
  name text not null unique,
  created_at timestamptz not null
);

create table projects (
  id text primary key,
  org_id text not null references organizations (id),
  name text not null,
  created_at timestamptz not null,
  unique (org_id, name)
);

create table clusters (
  id text primary key,
  project_id text not null references projects (id),
  name text not null,
  uri_sealed text not null,
  hosts text[] not null,
  replica_set_name text,
  mongodb_version text,
  last_success_at timestamptz,
  last_proven_at timestamptz,
  created_at timestamptz not null,
  unique (project_id, name)
);

create table api_keys (
  id text primary key,
  org_id text not null references organizations (id),
  public_key text not null unique,
  private_key_sealed text not null,
  ha1_sealed text not null,
  description text not null,
  access_list text[] not null,
  created_at timestamptz not null
);

create table service_accounts (
  id text primary key,
  org_id text not null references organizations (id),
  client_id text not null unique,
  secret_hash text not null,
  description text not null,
  access_list text[] not null,
  created_at timestamptz not null
);

create table users (
  id text primary key,
  org_id text not null references organizations (id),
  name text not null,
  name_lower text not null unique,
  password_hash text not null,
  failed_logins integer not null default 0,
  locked_until timestamptz,
  created_at timestamptz not null
);

create table role_grants (
  principal_kind text not null,
  principal_id text not null,
  role text not null,
  org_id text references organizations (id),
  project_id text references projects (id)
);
-- coalesce: "nulls not distinct" needs PostgreSQL 15.
create unique index role_grants_once
  on role_grants (principal_kind, principal_id, role, coalesce(org_id, ''), coalesce(project_id, ''));

create table sessions (
  token_hash text primary key,
  principal_kind text not null,
  principal_id text not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_expiry on sessions (expires_at);

create table revoked_bearers (
  token_id text primary key,
  expires_at timestamptz not null
);
create index revoked_bearers_expiry on revoked_bearers (expires_at);

create table used_nonces (
  nonce text not null,
  count bigint not null,
  expires_at timestamptz not null,
  primary key (nonce, count)
);
create index used_nonces_expiry on used_nonces (expires_at);

-- One sequence for every integer that Commvault clients see; 1 is theirs.
create sequence numbers_sequence start with 2;

create table numbers (
  kind text not null,
  ref_id text not null,
  number bigint not null unique default nextval('numbers_sequence'),
  primary key (kind, ref_id)
);

create table jobs (
  id text primary key,
  number bigint not null unique default nextval('numbers_sequence'),
  kind text not null,
  state text not null check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  project_id text not null references projects (id),
  cluster_id text not null references clusters (id),
  snapshot_id text,
  restore_id text,
  payload jsonb not null,
  requested_by text not null,
  exclusive_key text,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  attempt integer not null default 0,
  losses integer not null default 0,
  error_code text,
  error_message text,
  error_hint text,
  check ((state in ('completed', 'failed', 'cancelled')) = (finished_at is not null))
);
create index jobs_by_cluster on jobs (cluster_id, created_at desc, id desc);
create index jobs_by_project on jobs (project_id, created_at desc, id desc);
create index jobs_active on jobs (created_at, id) where state in ('queued', 'running');
-- Two jobs with one key never run at the same time.
create unique index jobs_running_once on jobs (exclusive_key) where state = 'running';
create index jobs_by_snapshot on jobs (snapshot_id) where snapshot_id is not null;

create table leases (
  job_id text primary key references jobs (id) on delete cascade,
  owner text,
  token bigint not null default 0,
  expires_at timestamptz,
  progress_at timestamptz,
  phase text,
  namespace text,
  documents_done bigint not null default 0,
  documents_total bigint,
  bytes_done bigint not null default 0,
  bytes_total bigint,
  bytes_per_second double precision,
  eta_seconds double precision
) with (fillfactor = 70);
create index leases_held on leases (owner) where owner is not null;
-- Every claim takes the next one, so a token is never used twice.
create sequence lease_tokens;

create table workers (
  id text primary key,
  host text not null,
  pid integer not null,
  process_start text not null,
  started_at timestamptz not null,
  seen_at timestamptz not null
);

create table snapshots (
  id text primary key,
  project_id text not null references projects (id),
  cluster_id text not null references clusters (id),
  cluster_name text not null,
  state text not null check (state in ('queued', 'inProgress', 'completed', 'failed', 'cancelled')),
  type text not null,
  description text,
  retention_days integer not null,
  selection jsonb,
  requested_at timestamptz not null,
  started_at timestamptz,
  point_in_time_t bigint,
  point_in_time_i bigint,
  captured_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz not null,
  mongodb_version text,
  replica_set_name text,
  consistency text,
  documents bigint,
  data_size_bytes bigint,
  storage_size_bytes bigint,
  job_id text not null,
  deleted_at timestamptz,
  -- Never completed without what its root says.
  check (state <> 'completed' or (finished_at is not null and captured_at is not null and documents is not null))
);
create index snapshots_by_cluster on snapshots (cluster_id, requested_at desc, id desc) where deleted_at is null;
create index snapshots_completed on snapshots (cluster_id, requested_at desc, id desc)
  where deleted_at is null and state = 'completed';
create index snapshots_by_job on snapshots (job_id);

create table restores (
  id text primary key,
  delivery text not null check (delivery in ('automated', 'download')),
  project_id text not null references projects (id),
  cluster_id text not null references clusters (id),
  cluster_name text not null,
  snapshot_id text not null references snapshots (id),
  target_project_id text,
  target_cluster_id text,
  target_cluster_name text,
  selection jsonb not null,
  index_strategy text not null,
  users_and_roles boolean not null,
  created_at timestamptz not null,
  job_id text not null,
  proven_at timestamptz,
  proven_collections bigint,
  proven_documents bigint,
  proven_bytes bigint,
  result text
);
create index restores_by_cluster on restores (cluster_id, created_at desc, id desc);
create index restores_by_snapshot on restores (snapshot_id);
create index restores_by_job on restores (job_id);

create table downloads (
  restore_id text primary key references restores (id) on delete cascade,
  expiration_hours double precision not null,
  max_downloads integer,
  downloads integer not null default 0,
  file_name text not null,
  ready_at timestamptz,
  expires_at timestamptz,
  sha1 text
);

create table restore_plans (
  restore_id text primary key references restores (id) on delete cascade,
  job_id text not null references jobs (id) on delete cascade,
  plan text not null,
  saved_at timestamptz not null,
  settled_at timestamptz,
  outcome text
);
create index restore_plans_open on restore_plans (job_id) where settled_at is null;

-- What the repository has to be told about a snapshot, in order; written beside the change, sent by a worker.
create table pending_facts (
  id bigint generated always as identity primary key,
  snapshot_id text not null references snapshots (id) on delete cascade,
  kind text not null,
  body jsonb not null,
  created_at timestamptz not null
);

create table subclients (
  id text primary key,
  cluster_id text not null references clusters (id),
  name text not null,
  name_lower text not null,
  databases text[] not null,
  collections text[] not null,
  created_at timestamptz not null,
  unique (cluster_id, name_lower)
);

create table audit_events (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  principal_kind text,
  principal_id text,
  principal_name text,
  action text not null,
  project_id text,
  object text,
  address text not null,
  details jsonb not null
);
create index audit_events_by_time on audit_events (at desc, id desc);
create index audit_events_by_project on audit_events (project_id, at desc, id desc);

create table settings (
  key text primary key,
  value jsonb not null
);
