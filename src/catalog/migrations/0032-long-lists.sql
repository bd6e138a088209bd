-- What a collection restore job was to restore, beside how it was asked for: the snapshot may go before its job is read again.
-- JSON text of [{"db": …, "name": …, "documents": …}]; null: nobody has looked yet.
alter table collection_restores add column contents text;

-- Both are counted like restores, so that a page in the middle of a long list is found without walking to it.
create trigger count_added after insert on collection_restores referencing new table as new_rows for each statement execute function count_lasting('collectionRestores');
create trigger count_gone after delete on collection_restores referencing old table as old_rows for each statement execute function count_lasting('collectionRestores');
insert into row_counts select 'collectionRestores', cluster_id, month_of(created_at), '', true, count(*) from collection_restores group by 2, 3;
create trigger count_added after insert on exports referencing new table as new_rows for each statement execute function count_lasting('exports');
create trigger count_gone after delete on exports referencing old table as old_rows for each statement execute function count_lasting('exports');
insert into row_counts select 'exports', cluster_id, month_of(created_at), '', true, count(*) from exports group by 2, 3;
