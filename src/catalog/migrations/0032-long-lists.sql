-- What a collection restore job was to restore, beside how it was asked for: the snapshot may go before its job is read again.
-- JSON text of [{"db": …, "name": …, "documents": …}]; null: nobody has looked yet.
alter table collection_restores add column contents text;

-- Counted like restores, so that a page in the middle of a long list is found without walking to it.
create function count_collection_restores() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'collectionRestores', cluster_id, month_of(created_at), '', true, count(*) from new_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'collectionRestores', cluster_id, month_of(created_at), '', true, -count(*) from old_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;
create trigger count_added after insert on collection_restores referencing new table as new_rows for each statement execute function count_collection_restores();
create trigger count_gone after delete on collection_restores referencing old table as old_rows for each statement execute function count_collection_restores();
insert into row_counts select 'collectionRestores', cluster_id, month_of(created_at), '', true, count(*) from collection_restores group by 2, 3;

create function count_exports() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'exports', cluster_id, month_of(created_at), '', true, count(*) from new_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'exports', cluster_id, month_of(created_at), '', true, -count(*) from old_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;
create trigger count_added after insert on exports referencing new table as new_rows for each statement execute function count_exports();
create trigger count_gone after delete on exports referencing old table as old_rows for each statement execute function count_exports();
insert into row_counts select 'exports', cluster_id, month_of(created_at), '', true, count(*) from exports group by 2, 3;

-- Lists of events are of what succeeded: counted, and their pages picked, on the index alone.
create index audit_events_done_in_project on audit_events (project_id, at desc, id desc) include (action) where (details ->> 'status')::integer < 400;
create index audit_events_done_in_org on audit_events (org_id, at desc, id desc) include (action, project_id) where (details ->> 'status')::integer < 400;
