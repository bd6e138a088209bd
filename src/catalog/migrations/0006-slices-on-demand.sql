-- Somebody asks for the newest instant: whoever follows the cluster puts away what it has gathered.

alter table tailers add column cut_requested boolean not null default false;
