-- One function counts all rows that never change their cluster or their time; the trigger names what it counts.
create function count_lasting() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select tg_argv[0], cluster_id, month_of(created_at), '', true, count(*) from new_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select tg_argv[0], cluster_id, month_of(created_at), '', true, -count(*) from old_rows group by 2, 3 order by 2, 3
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

create or replace trigger count_added after insert on restores referencing new table as new_rows for each statement execute function count_lasting('restores');
create or replace trigger count_gone after delete on restores referencing old table as old_rows for each statement execute function count_lasting('restores');
create or replace trigger count_added after insert on collection_restores referencing new table as new_rows for each statement execute function count_lasting('collectionRestores');
create or replace trigger count_gone after delete on collection_restores referencing old table as old_rows for each statement execute function count_lasting('collectionRestores');
create or replace trigger count_added after insert on exports referencing new table as new_rows for each statement execute function count_lasting('exports');
create or replace trigger count_gone after delete on exports referencing old table as old_rows for each statement execute function count_lasting('exports');

drop function count_restores();
drop function count_collection_restores();
drop function count_exports();
