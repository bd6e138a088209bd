// The forms in which a restore is ordered: DocumentDB's, which names a snapshot, that of the big data apps, which names a time, and the plain one
// of what was browsed, which names a backup or a time.
import type { RestoreSelection } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { unsupported } from './errors.ts';
import { disagree } from './resolve-entity.ts';
import { readTarget, type RestoreTarget } from './restore-target.ts';
import type { RestoreOptions } from './schemas.ts';
import { requireUtc, timeOfText } from './time-text.ts';
import { parseItems } from './tree/content.ts';

export interface RestoreForm {
  readonly from:
    | { readonly snapshotName: string }
    /** Of the newest snapshot of the subclient, up to a time if one is given; an older one than `since` is none. */
    | { readonly newestUntil: Date | null; readonly since: Date | null }
    /** Of the backup with this number. */
    | { readonly jobNumber: number }
    | { readonly instant: Date };
  readonly target: RestoreTarget;
  /** Nothing chosen: everything. */
  readonly selection: RestoreSelection;
}

type MongoDbOptions = NonNullable<NonNullable<RestoreOptions['distributedAppsRestoreOptions']>['mongoDBRestoreOptions']>;

/** @throws TASK_UNSUPPORTED, ATTRIBUTE_MISSING, IDS_DISAGREE */
export function parseRestore(options: RestoreOptions = {}): RestoreForm {
  const documentDb = options.cloudAppsRestoreOptions?.documentDBRestoreOptions;
  const mongoDb = options.distributedAppsRestoreOptions?.mongoDBRestoreOptions;
  if (documentDb !== undefined) {
    if (!documentDb.restoreSnapshotId) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: restoreSnapshotId is required', { details: { name: 'restoreSnapshotId' } });
    // The SDK says inPlace whatever target it names.
    const target = readTarget(options, { inPlace: options.destination?.inPlace === false ? false : null, instanceName: documentDb.targetInstanceId });
    return { from: { snapshotName: documentDb.restoreSnapshotId }, target, selection: { ...chosenItems(options), renames: [] } };
  }
  if (mongoDb === undefined) return plainForm(options);
  if (mongoDb.restoreFilesOnly === true || mongoDb.recover === false) throw unsupported('A restore of files without the data in their server');
  return { from: timeOf(options, mongoDb), target: distributedTarget(options, mongoDb), selection: selectionOf(options, mongoDb) };
}

/** Of a backup, whose items are all wanted where the only ones are the backup itself (`2:17`), or of the newest. */
function plainForm(options: RestoreOptions): RestoreForm {
  const { jobIds = [], fileOption: { sourceItem = [] } = {}, destination: { inPlace = null } = {} } = options;
  const jobs = [...new Set([...jobIds, ...sourceItem.flatMap((item) => /^2:([1-9]\d{0,9})$/.exec(item)?.slice(1) ?? [])].map(Number))];
  if (jobs.length > 1) throw unsupported('A restore of several backups at once');
  const items = sourceItem.filter((item) => item !== '' && !/^2:\d+$/.test(item));
  if (jobs.length === 0 && items.length === 0) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: nothing says what is restored', { details: { name: 'fileOption.sourceItem' } });
  return {
    from: jobs[0] === undefined ? timeOf(options, {}) : { jobNumber: jobs[0] },
    target: readTarget(options, { inPlace }),
    selection: { ...parseItems(items), renames: [] },
  };
}

function chosenItems(options: RestoreOptions): Pick<RestoreSelection, 'databases' | 'collections'> {
  return parseItems(options.fileOption?.sourceItem ?? []);
}

/** The end of a backup is a snapshot; a time that is told to be none needs what continuous backup followed. */
function timeOf({ browseOption }: RestoreOptions, { pointInTimeToEndOfBackup = true, latestEndOfBackup = pointInTimeToEndOfBackup }: MongoDbOptions): RestoreForm['from'] {
  const { fromTime, fromTimeValue, toTime, toTimeValue } = browseOption?.timeRange ?? {};
  const zone = browseOption?.timeZone?.TimeZoneName;
  const [since, at] = [readTime('fromTimeValue', fromTime || fromTimeValue || 0, zone), readTime('toTimeValue', toTime || toTimeValue || 0, zone)];
  if (pointInTimeToEndOfBackup || latestEndOfBackup) return { newestUntil: at, since };
  if (at !== null && since !== null && at < since) throw new LeafvaultError('ATTRIBUTE_INVALID', 'Reading the body failed: the time range ends before it begins', { details: { name: 'browseOption.timeRange.fromTime' } });
  if (at !== null) return { instant: at };
  throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: a restore to no end of a backup names its time', { details: { name: 'browseOption.timeRange.toTime' } });
}

/** Null: not told. @throws ATTRIBUTE_INVALID, TASK_UNSUPPORTED for a text in another zone than UTC */
function readTime(name: string, told: string | number, zone: string | undefined): Date | null {
  if (typeof told === 'string') requireUtc(zone, 'A time');
  const at = typeof told === 'number' ? new Date(told * 1000) : timeOfText(told, `browseOption.timeRange.${name}`);
  return at.getTime() > 0 ? at : null;
}

function distributedTarget(options: RestoreOptions, { isInplaceRestore, destShardList = [] }: MongoDbOptions): RestoreTarget {
  const { inPlace = null } = options.destination ?? {};
  if (isInplaceRestore === true && inPlace === false) throw disagree('isInplaceRestore');
  const hosts = destShardList.flatMap(({ destHostName, destPortNumber }) => (destHostName ? [`${destHostName}:${destPortNumber || 27017}`] : []));
  return readTarget(options, { inPlace: isInplaceRestore ?? inPlace, hosts });
}

function selectionOf(options: RestoreOptions, { destGranularEntityList = [], isGranularRecovery = false }: MongoDbOptions): RestoreSelection {
  if (destGranularEntityList.length === 0) {
    if (isGranularRecovery) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: a granular recovery names what it recovers', { details: { name: 'destGranularEntityList' } });
    return { ...chosenItems(options), renames: [] };
  }
  const [databases, collections, renames]: [string[], string[], { from: string; to: string }[]] = [[], [], []];
  for (const { srcDbName, srcCollectionName, destDbName, destCollectionName, isDbEntity = true } of destGranularEntityList) {
    const from = isDbEntity ? srcDbName : `${srcDbName}.${srcCollectionName || destCollectionName || ''}`;
    const to = isDbEntity ? destDbName || srcDbName : `${destDbName || srcDbName}.${destCollectionName || srcCollectionName || ''}`;
    (isDbEntity ? databases : collections).push(from);
    if (from !== to) renames.push({ from, to });
  }
  return { databases, collections, renames };
}
