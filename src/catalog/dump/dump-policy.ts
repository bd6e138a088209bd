// What of each table goes into a dump (docs/design/rescue.md). A table that is not named here goes in whole, and a test asks for its line.

export type TablePolicy =
  | { readonly kind: 'whole'; /** Columns that belong to processes: left out, null after a rescue. */ readonly blank?: readonly string[] }
  /** `where` speaks of the row as `t`, of `since`, and of what is kept as `kept_restores`, `kept_snapshots`, `kept_jobs` (`id` each). */
  | { readonly kind: 'recent'; readonly where: string; readonly blank?: readonly string[] }
  /** Made anew by a rescue, or nobody's any more. */
  | { readonly kind: 'never' };

const WHOLE = { kind: 'whole' } as const;
const NEVER = { kind: 'never' } as const;

export const DUMP_POLICY: Readonly<Record<string, TablePolicy>> = {
  organizations: WHOLE,
  projects: WHOLE,
  clusters: WHOLE,
  api_keys: WHOLE,
  service_accounts: WHOLE,
  service_account_secrets: WHOLE,
  users: WHOLE,
  role_grants: WHOLE,
  subclients: WHOLE,
  schedules: WHOLE,
  compliance_policies: WHOLE,
  export_buckets: WHOLE,
  numbers: WHOLE,
  settings: WHOLE,
  chains: WHOLE,
  pending_facts: WHOLE,
  revoked_bearers: WHOLE,
  tailers: { kind: 'whole', blank: ['owner', 'expires_at'] },
  snapshots: { kind: 'recent', where: 't.id in (select id from kept_snapshots)' },
  schedule_runs: { kind: 'recent', where: 't.snapshot_id in (select id from kept_snapshots)' },
  restores: { kind: 'recent', where: 't.id in (select id from kept_restores)' },
  downloads: { kind: 'recent', where: 't.restore_id in (select id from kept_restores)' },
  exports: { kind: 'recent', where: 't.job_id in (select id from kept_jobs)' },
  collection_restores: { kind: 'recent', where: 't.restore_id in (select id from kept_restores)' },
  restore_plans: { kind: 'recent', where: 't.restore_id in (select id from kept_restores)' },
  jobs: { kind: 'recent', where: 't.id in (select id from kept_jobs)' },
  drills: { kind: 'recent', where: 't.job_id in (select id from kept_jobs)' },
  leases: { kind: 'recent', where: 't.job_id in (select id from kept_jobs)', blank: ['owner', 'expires_at'] },
  audit_events: { kind: 'recent', where: 't.at > (select at from since)' },
  // Wraps the secret of this catalog, which seals no dump; a rescued one has a secret of its own.
  catalog_keys: NEVER,
  // Jobs that were on their way end with a rescue.
  capture_rests: NEVER,
  sessions: NEVER,
  used_nonces: NEVER,
  workers: NEVER,
  row_counts: NEVER,
  event_counts: NEVER,
  // These belong to the tables, not to what is in them: a rescue makes them by migrating.
  migrations: NEVER,
  migrations_lock: NEVER,
  migration_checksums: NEVER,
};

/** How long what is over is kept in dumps. */
export const RECENT_DAYS = 90;

/** Purpose of each sealed column, `table.column`: what it was sealed for is part of the seal. */
export const SEALED_COLUMNS: Readonly<Record<string, string>> = {
  'clusters.uri_sealed': 'cluster connection string',
  'api_keys.private_key_sealed': 'API private key',
  'api_keys.ha1_sealed': 'API key HA1',
};

/** `column: purpose` of one table. */
export function sealedOf(table: string): Readonly<Record<string, string>> {
  const prefix = `${table}.`;
  return Object.fromEntries(Object.entries(SEALED_COLUMNS).filter(([name]) => name.startsWith(prefix)).map(([name, purpose]) => [name.slice(prefix.length), purpose]));
}
