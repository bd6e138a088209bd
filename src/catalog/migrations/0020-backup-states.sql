-- Whether a cluster is backed up, and what of it (docs/design/backup-states.md).

alter table clusters add column backup_state text not null default 'started';
-- Null: everything is taken.
alter table clusters add column namespace_filter jsonb;
-- Who follows oplogs asks for this alone.
alter table clusters add column followed boolean not null generated always as (continuous_backup and backup_state = 'started' and namespace_filter is null) stored;
