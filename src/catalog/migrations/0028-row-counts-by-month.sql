-- Counters of each month, so that a page in the middle of a long list is found without walking all entries before it:
-- 50,000 of an index cost more than all the rest of the answer.

drop table row_counts;

create table row_counts (
  counted text not null,
  cluster_id text not null,
  -- The first instant of the UTC month in which the rows begin.
  month timestamptz not null,
  kind text not null,
  active boolean not null,
  n bigint not null,
  primary key (counted, cluster_id, month, kind, active)
) with (fillfactor = 50);

create function month_of(instant timestamptz) returns timestamptz language sql immutable parallel safe
  return date_trunc('month', instant at time zone 'UTC') at time zone 'UTC';

create or replace function count_jobs() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'jobs', cluster_id, month_of(created_at), kind, state in ('queued', 'running'), count(*) from new_rows group by 2, 3, 4, 5 order by 2, 3, 4, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  elsif tg_op = 'DELETE' then
    insert into row_counts as c
      select 'jobs', cluster_id, month_of(created_at), kind, state in ('queued', 'running'), -count(*) from old_rows group by 2, 3, 4, 5 order by 2, 3, 4, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'jobs', cluster_id, month, kind, active, sum(d) from (
        select cluster_id, month_of(created_at) as month, kind, state in ('queued', 'running') as active, 1 as d from new_rows
        union all select cluster_id, month_of(created_at), kind, state in ('queued', 'running'), -1 from old_rows
      ) changes group by 2, 3, 4, 5 having sum(d) <> 0 order by 2, 3, 4, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

-- `active` tells whether a snapshot is completed: lists are asked for all or for completed ones.
create or replace function count_snapshots() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into row_counts as c
      select 'snapshots', cluster_id, month_of(requested_at), '', state = 'completed', count(*) from new_rows where deleted_at is null group by 2, 3, 5 order by 2, 3, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  elsif tg_op = 'DELETE' then
    insert into row_counts as c
      select 'snapshots', cluster_id, month_of(requested_at), '', state = 'completed', -count(*) from old_rows where deleted_at is null group by 2, 3, 5 order by 2, 3, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  else
    insert into row_counts as c
      select 'snapshots', cluster_id, month, '', active, sum(d) from (
        select cluster_id, month_of(requested_at) as month, state = 'completed' as active, 1 as d from new_rows where deleted_at is null
        union all select cluster_id, month_of(requested_at), state = 'completed', -1 from old_rows where deleted_at is null
      ) changes group by 2, 3, 5 having sum(d) <> 0 order by 2, 3, 5
      on conflict (counted, cluster_id, month, kind, active) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;

-- Of rows that never change their cluster or their time; the trigger names what it counts.
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
drop function count_restores();

insert into row_counts select 'jobs', cluster_id, month_of(created_at), kind, state in ('queued', 'running'), count(*) from jobs group by 2, 3, 4, 5;
insert into row_counts select 'snapshots', cluster_id, month_of(requested_at), '', state = 'completed', count(*) from snapshots where deleted_at is null group by 2, 3, 5;
insert into row_counts select 'restores', cluster_id, month_of(created_at), '', true, count(*) from restores group by 2, 3;
