-- The catalog's own key, wrapped by each master key that opens it: what is sealed stays as it is when the master key is changed.
create table catalog_keys (
  master_key_id text primary key,
  sealed text not null,
  created_at timestamptz not null
);
