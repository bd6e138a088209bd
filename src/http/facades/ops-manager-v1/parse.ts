// Backup configurations and snapshots on demand from Ops Manager's words to ours.
import type { NamespaceFilter } from '../../../domain/namespace-selection.ts';
import { MOST_RETENTION_DAYS } from '../../../domain/schedule.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { BackupConfig, BackupConfigs } from '../../../services/contracts.ts';
import { requireSamePlace } from '../../wire/mms-backup/require-same-place.ts';
import { readBody } from '../../wire/read-body.ts';
import { authMechanismOf } from './present.ts';
import { wholeNumber } from '../../wire/read-query.ts';
import { changeBackupConfigBody } from './schemas.ts';

type Change = Pick<Parameters<BackupConfigs['change']>[0], 'state' | 'filter'>;

const MECHANISMS = ['NONE', 'MONGODB_CR', 'MONGODB_X509', 'GSSAPI', 'PLAIN'];
const STATES: Readonly<Record<string, NonNullable<Change['state']>>> = { STARTED: 'started', STOPPED: 'stopped', TERMINATING: 'terminating' };

/** @throws GROUP_MISMATCH, BACKUP_STATE_UNSETTABLE, FILTER_AMBIGUOUS, FILTER_PATTERN, AUTH_MECHANISM_UNKNOWN, CONNECTION_FIXED beside the faults of the body */
export function parseChangeBackupConfig(body: unknown, config: BackupConfig): Change {
  const given = readBody(changeBackupConfigBody, body);
  requireSamePlace(given, config.cluster);
  refuseConnection(given, config);
  const state = given.statusName === undefined ? undefined : STATES[given.statusName];
  if (given.statusName !== undefined && state === undefined) {
    throw new LeafvaultError('BACKUP_STATE_UNSETTABLE', `Changing a backup configuration failed: ${given.statusName} is nothing that can be asked for`, { details: { value: given.statusName } });
  }
  return { state, filter: filterOf(given, config.filter) };
}

/** How a cluster is reached stands in its connection string, which this form does not have; telling what it is already changes nothing. */
function refuseConnection(given: ReturnType<typeof changeBackupConfigBody.parse>, config: BackupConfig): void {
  const { authMechanismName: mechanism, username, password, sslEnabled, encryptionEnabled, storageEngineName, syncSource, preferredMember } = given;
  const isSame = mechanism === undefined || mechanism === authMechanismOf(config);
  // What was told is taken back, also where the vendor has no word for it.
  if (!isSame && !MECHANISMS.includes(mechanism)) throw new LeafvaultError('AUTH_MECHANISM_UNKNOWN', `Changing a backup configuration failed: there is no mechanism ${mechanism}`, { details: { value: mechanism } });
  const other: Readonly<Record<string, boolean>> = {
    authMechanismName: !isSame,
    username: username !== undefined, password: password !== undefined,
    sslEnabled: sslEnabled !== undefined && sslEnabled !== (config.connection?.tls ?? false),
    encryptionEnabled: encryptionEnabled === true,
    storageEngineName: storageEngineName === 'MEMORY_MAPPED',
    // A secondary is read where there is one.
    syncSource: syncSource !== undefined && syncSource !== 'SECONDARY',
    preferredMember: preferredMember !== undefined,
  };
  const name = Object.keys(other).find((each) => other[each] === true);
  if (name !== undefined) throw new LeafvaultError('CONNECTION_FIXED', `Changing a backup configuration failed: ${name} is not set here`, { details: { name } });
}

/** Undefined: as it was. An empty list takes its own kind of filter away. */
function filterOf({ includedNamespaces: included, excludedNamespaces: excluded }: { readonly includedNamespaces?: readonly string[] | undefined; readonly excludedNamespaces?: readonly string[] | undefined }, old: NamespaceFilter | null): NamespaceFilter | null | undefined {
  if ((included?.length ?? 0) > 0 && (excluded?.length ?? 0) > 0) throw new LeafvaultError('FILTER_AMBIGUOUS', 'Changing a backup configuration failed: includedNamespaces and excludedNamespaces exclude each other');
  if (included !== undefined && included.length > 0) return listed('included', included);
  if (excluded !== undefined && excluded.length > 0) return listed('excluded', excluded);
  const isTakenAway = (old?.kind === 'included' && included !== undefined) || (old?.kind === 'excluded' && excluded !== undefined);
  return isTakenAway ? null : undefined;
}

function listed(kind: NamespaceFilter['kind'], names: readonly string[]): NamespaceFilter {
  const pattern = names.find((name) => name.includes('*'));
  if (pattern !== undefined) throw new LeafvaultError('FILTER_PATTERN', `Changing a backup configuration failed: ${pattern} is a pattern`, { details: { value: pattern } });
  return { kind, databases: names.filter((name) => !name.includes('.')), collections: names.filter((name) => name.includes('.')) };
}

/** @throws QUERY_MISSING, QUERY_INVALID */
export function parseRetentionDays(query: unknown): number {
  const days = wholeNumber(query, 'retentionDays', 1, MOST_RETENTION_DAYS);
  if (days !== undefined) return days;
  throw new LeafvaultError('QUERY_MISSING', 'Reading the query failed: retentionDays is required', { details: { name: 'retentionDays' } });
}
