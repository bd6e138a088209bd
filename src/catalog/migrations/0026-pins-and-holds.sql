-- What keeps a snapshot whatever its retention says: {"by": …, "reason": …, "at": …}, null where nothing does.
alter table snapshots add column pin jsonb;
alter table snapshots add column hold jsonb;
