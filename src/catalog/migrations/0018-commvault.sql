-- Jobs that rest until somebody lets them go on, what a door wants to tell of a job again, and words about subclients.

alter table jobs add column paused_at timestamptz;
alter table jobs add column form jsonb;

alter table subclients add column description text not null default '';
