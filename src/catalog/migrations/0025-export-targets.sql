-- Whether a bucket lay at an entry of exportTargets when it was last opened: where that entry is gone nobody else is asked for it. Null: it was never opened since.

alter table export_buckets add column is_declared boolean;
