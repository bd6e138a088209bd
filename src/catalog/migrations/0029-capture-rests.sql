-- What a snapshot that rests has kept, for the attempt that goes on: small, it names chunks of the repository. It goes with the end of its job.

create table capture_rests (
  job_id text primary key references jobs (id) on delete cascade,
  rest text not null,
  saved_at timestamptz not null
);
