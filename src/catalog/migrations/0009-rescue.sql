-- A cluster that was rescued from its snapshots alone waits for its connection string.

alter table clusters alter column uri_sealed drop not null;
