-- An event is written before its change is begun, and gets its outcome with the answer: a process that dies in between leaves it as it is.
alter table audit_events add column outcome_unknown boolean not null default false;
create index audit_events_unknown on audit_events (at desc, id desc) where outcome_unknown;

-- Lists tell what was done, and what nobody knows the outcome of.
create index audit_events_told_in_project on audit_events (project_id, at desc, id desc) include (action) where (details ->> 'status')::integer < 400 or outcome_unknown;
create index audit_events_told_in_org on audit_events (org_id, at desc, id desc) include (action, project_id) where (details ->> 'status')::integer < 400 or outcome_unknown;

-- Of what was done, by month; '' in the place of null. Those without an outcome are few, and counted when they are asked for.
create table event_counts (
  org_id text not null,
  project_id text not null,
  month timestamptz not null,
  action text not null,
  n bigint not null,
  primary key (org_id, project_id, month, action)
) with (fillfactor = 50);
create index event_counts_by_project on event_counts (project_id);

create function count_events() returns trigger language plpgsql set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    insert into event_counts as c
      select coalesce(org_id, ''), coalesce(project_id, ''), month_of(at), action, count(*) from new_rows where (details ->> 'status')::integer < 400 group by 1, 2, 3, 4 order by 1, 2, 3, 4
      on conflict (org_id, project_id, month, action) do update set n = c.n + excluded.n;
  elsif tg_op = 'DELETE' then
    insert into event_counts as c
      select coalesce(org_id, ''), coalesce(project_id, ''), month_of(at), action, -count(*) from old_rows where (details ->> 'status')::integer < 400 group by 1, 2, 3, 4 order by 1, 2, 3, 4
      on conflict (org_id, project_id, month, action) do update set n = c.n + excluded.n;
  else
    insert into event_counts as c
      select org_id, project_id, month, action, sum(d) from (
        select coalesce(org_id, '') as org_id, coalesce(project_id, '') as project_id, month_of(at) as month, action, 1 as d from new_rows where (details ->> 'status')::integer < 400
        union all select coalesce(org_id, ''), coalesce(project_id, ''), month_of(at), action, -1 from old_rows where (details ->> 'status')::integer < 400
      ) changes group by 1, 2, 3, 4 having sum(d) <> 0 order by 1, 2, 3, 4
      on conflict (org_id, project_id, month, action) do update set n = c.n + excluded.n;
  end if;
  return null;
end $$;
create trigger count_added after insert on audit_events referencing new table as new_rows for each statement execute function count_events();
create trigger count_changed after update on audit_events referencing old table as old_rows new table as new_rows for each statement execute function count_events();
create trigger count_gone after delete on audit_events referencing old table as old_rows for each statement execute function count_events();
insert into event_counts select coalesce(org_id, ''), coalesce(project_id, ''), month_of(at), action, count(*) from audit_events where (details ->> 'status')::integer < 400 group by 1, 2, 3, 4;
