// Codes that commands raise themselves, and exit codes; `leafvault help` and docs/reference/cli.md show those.
import { isLeafvaultError } from '../foundation/errors.ts';

export const CLI_ERRORS = {
  CLI_CLUSTER_UNKNOWN: 'No cluster has that name. details: {name}',
  CLI_CLUSTER_AMBIGUOUS: 'More than one cluster has that name; its id says which is meant. details: {name, ids}',
  CLI_KEY_UNREADABLE: 'The file of the key cannot be read',
  CLI_SECRET_MISSING: 'A secret was asked for and none was given',
  COMPLIANCE_NOT_RELEASED: 'A backup compliance policy was not released: there is none, or the address is not that of who answers for it',
  CLI_COPY_UNKNOWN: 'No second copy is named, neither by a flag nor in the settings',
} as const;

export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'failed; the message says why' },
  usage: { code: 2, meaning: 'wrong command, flag or setting' },
  damaged: { code: 3, meaning: 'damage was found, or something that is not held as it should be' },
  masterKey: { code: 4, meaning: 'the master key is missing, damaged or another one' },
  catalog: { code: 5, meaning: 'PostgreSQL cannot be reached or used' },
  repository: { code: 6, meaning: 'the repository cannot be opened' },
  refused: { code: 7, meaning: 'a prune was refused, and took nothing away; the message says why' },
  interrupted: { code: 130, meaning: 'stopped by a second signal before everything was put away' },
} as const;

const BY_CODE: readonly (readonly [RegExp, keyof typeof EXIT_CODES])[] = [
  [/^(CONFIG_|CLI_)/, 'usage'],
  [/^(MASTER_KEY_|SEAL_|RECOVERY_|RESCUE_KEY_)/, 'masterKey'],
  [/^CATALOG_/, 'catalog'],
  [/^(REPOSITORY_PRUNE_REFUSED|JOBS_SNAPSHOTS_HIDDEN)$/, 'refused'],
  [/^(REPOSITORY_|STORAGE_)/, 'repository'],
];

/** The exit code that a failure ends the process with. */
export function exitCodeOf(error: unknown): number {
  const code = isLeafvaultError(error) ? error.code : '';
  const row = BY_CODE.find(([pattern]) => pattern.test(code));
  return EXIT_CODES[row?.[1] ?? 'failed'].code;
}
