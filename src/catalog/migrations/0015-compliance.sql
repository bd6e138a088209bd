-- One backup compliance policy for a project, at most. Held with the project's row: whoever deletes or shortens sees it, or comes before it.

create table compliance_policies (
  project_id text primary key references projects (id),
  -- Everything that a request says of it.
  settings jsonb not null,
  -- Set by who may log in on the machine, by no API.
  deletable boolean not null default false,
  updated_at timestamptz not null,
  updated_by text not null
);
