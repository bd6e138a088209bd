-- What a job warns of, known while it runs: a restore tells it before it writes anything.

alter table jobs add column warnings jsonb not null default '[]';
