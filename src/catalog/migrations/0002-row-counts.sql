-- How many rows a list has: counting 100,000 of them takes longer than a whole page may.
-- Kept by triggers on statements, so that an insert of many rows adds once.

create table row_counts (
  counted text not null,
  cluster_id text not null,
  kind text not null,
  active boolean not null,
  n bigint not null,
  primary key (counted, cluster_id, kind, active)
) with (fillfactor = 50);

create function count_jobs() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'jobs', cluster_id, kind, state in ('queued', 'running'), count(*) from new_rows group by 2, 3, 4 order by 2, 3, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  elsif tg_op = 'DELETE' then
    insert into row_counts as c
      select 'jobs', cluster_id, kind, state in ('queued', 'running'), -count(*) from old_rows group by 2, 3, 4 order by 2, 3, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'jobs', cluster_id, kind, active, sum(d) from (
        select cluster_id, kind, state in ('queued', 'running') as active, 1 as d from new_rows
        union all select cluster_id, kind, state in ('queued', 'running'), -1 from old_rows
      ) changes group by 2, 3, 4 having sum(d) <> 0 order by 2, 3, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

-- `active` tells whether a snapshot is completed: lists are asked for all or for completed ones.
create function count_snapshots() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'snapshots', cluster_id, '', state = 'completed', count(*) from new_rows where deleted_at is null group by 2, 4 order by 2, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  elsif tg_op = 'DELETE' then
    insert into row_counts as c
      select 'snapshots', cluster_id, '', state = 'completed', -count(*) from old_rows where deleted_at is null group by 2, 4 order by 2, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'snapshots', cluster_id, '', active, sum(d) from (
        select cluster_id, state = 'completed' as active, 1 as d from new_rows where deleted_at is null
        union all select cluster_id, state = 'completed', -1 from old_rows where deleted_at is null
      ) changes group by 2, 4 having sum(d) <> 0 order by 2, 4
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

-- A restore never changes its cluster.
create function count_restores() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'restores', cluster_id, '', true, count(*) from new_rows group by 2 order by 2
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'restores', cluster_id, '', true, -count(*) from old_rows group by 2 order by 2
      on conflict (counted, cluster_id, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

create trigger count_added after insert on jobs referencing new table as new_rows for each statement execute function count_jobs();
create trigger count_changed after update on jobs referencing old table as old_rows new table as new_rows for each statement execute function count_jobs();
create trigger count_gone after delete on jobs referencing old table as old_rows for each statement execute function count_jobs();
create trigger count_added after insert on snapshots referencing new table as new_rows for each statement execute function count_snapshots();
create trigger count_changed after update on snapshots referencing old table as old_rows new table as new_rows for each statement execute function count_snapshots();
create trigger count_gone after delete on snapshots referencing old table as old_rows for each statement execute function count_snapshots();
create trigger count_added after insert on restores referencing new table as new_rows for each statement execute function count_restores();
create trigger count_gone after delete on restores referencing old table as old_rows for each statement execute function count_restores();

insert into row_counts select 'jobs', cluster_id, kind, state in ('queued', 'running'), count(*) from jobs group by 2, 3, 4;
insert into row_counts select 'snapshots', cluster_id, '', state = 'completed', count(*) from snapshots where deleted_at is null group by 2, 4;
insert into row_counts select 'restores', cluster_id, '', true, count(*) from restores group by 2;

-- For lists over many clusters, where no index of one cluster gives the order.
create index jobs_by_time on jobs (created_at desc, id desc);
