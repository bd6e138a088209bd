-- Old collections that a restore keeps for an undo: until when.

alter table restore_plans add column kept_until timestamptz;
create index restore_plans_by_kept on restore_plans (kept_until) where kept_until is not null;
