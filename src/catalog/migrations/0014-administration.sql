-- Projects, clusters and credentials that are made, changed and ended by API.

-- Rows of what is gone stay: snapshots, jobs and the audit refer to them.
alter table projects add column deleted_at timestamptz;
alter table projects add column tags jsonb not null default '[]';
alter table projects drop constraint projects_org_id_name_key;
create unique index projects_by_name on projects (org_id, name) where deleted_at is null;

alter table clusters add column deleted_at timestamptz;
alter table clusters add column tags jsonb not null default '[]';
alter table clusters add column labels jsonb not null default '[]';
alter table clusters add column termination_protection boolean not null default false;
alter table clusters drop constraint clusters_project_id_name_key;
create unique index clusters_by_name on clusters (project_id, name) where deleted_at is null;
create index clusters_deleted on clusters (project_id, name, deleted_at desc) where deleted_at is not null;

-- Null: known to whoever got it alone; a digest is computed with its HA1.
alter table api_keys alter column private_key_sealed drop not null;

create index api_keys_by_org on api_keys (org_id, created_at, id);
create index service_accounts_by_org on service_accounts (org_id, created_at, id);
create index role_grants_by_project on role_grants (project_id) where project_id is not null;
create index role_grants_by_org on role_grants (org_id, role) where org_id is not null;

-- Several secrets for one account, so that they can be rotated; null: never expires (declared in leafvault.yaml).
alter table service_accounts add column name text;
create table service_account_secrets (
  id text primary key,
  account_id text not null references service_accounts (id) on delete cascade,
  secret_hash text not null,
  -- What may be shown again: its last characters.
  masked text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
);
create index service_account_secrets_by_account on service_account_secrets (account_id, created_at, id);
insert into service_account_secrets (id, account_id, secret_hash, masked, created_at) select id, id, secret_hash, '****', created_at from service_accounts;
alter table service_accounts drop column secret_hash;

alter table audit_events add column org_id text;
update audit_events set org_id = projects.org_id from projects where projects.id = audit_events.project_id;
create index audit_events_by_org on audit_events (org_id, at desc, id desc);
