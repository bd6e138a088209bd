// Go or no-go: every reason is collected. Pure, so that a target without room or of another version needs no server.
import type { RestoreSelection, TimeSeriesChoice } from '../../../domain/records.ts';
import type { SnapshotBody } from '../../contracts.ts';
import { bucketsOf, showNamespace } from '../../mongo/namespaces.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';
import { covers, isWholeCluster, missingChoices, type SelectedEntry } from '../select-entries.ts';
import { namesInPlan, namesOnTarget } from '../plan.ts';
import type { TargetFacts } from './gather-facts.ts';
import { nameFaults } from './name-faults.ts';
import { missingPrivileges } from './privileges.ts';
import { judgeVersion } from './judge-version.ts';

export interface Judgement {
  /** Each refuses the restore; empty: go. */
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
}

export interface Request {
  readonly selection: RestoreSelection;
  readonly timeSeries: TimeSeriesChoice;
  readonly usersAndRoles: boolean;
  readonly sourceVersion: string;
  readonly sourceFeatureCompatibilityVersion: string;
  /** All entries of the snapshot, and those of them that were chosen. */
  readonly entries: readonly CollectionEntry[];
  readonly selected: readonly SelectedEntry[];
  /** What the capture was told to take. */
  readonly captured: SnapshotBody['selection'];
  /** Bytes of the oplog's operations that are replayed upon it; null: the snapshot as it is. */
  readonly replayed?: number | null;
  /** `refuse`: a name that is taken refuses the restore. */
  readonly existing?: 'replace' | 'refuse' | undefined;
  /** No live name is taken. */
  readonly rehearse?: boolean | undefined;
  /** How many times the bytes have to be free; 1 where absent. */
  readonly room?: number | undefined;
  /** Namespaces of capped collections that held more than their limits say. */
  readonly needRoom?: readonly string[];
  /** Bytes that an attempt before this one has loaded; 0 where absent. */
  readonly there?: number | undefined;
}

export function judgeFacts(facts: TargetFacts, request: Request): Judgement {
  const version = judgeVersion(facts, request);
  return {
    reasons: [
      ...judgeTopology(facts),
      ...version.reasons,
      ...facts.denied.map((words) => `the target refused ${words}`),
      ...missingPrivileges(facts.account, needsOf(request)),
      ...missingChoices(request.selection, request.entries).map((name) => `${name} ${request.replayed == null ? 'is not in the snapshot' : 'was not there at that instant'}`),
      // Behind its proof a rehearsal takes no name but those of its shadows.
      ...(request.rehearse === true ? scratchFaults(facts, request) : nameFaults(request.selected, facts.databases)),
      ...request.selected.flatMap((each) => (request.existing === 'refuse' ? takenName(facts, each) : judgeLiveName(facts, request.timeSeries, each))),
      ...judgeSpace(facts, request).reasons,
      ...judgeOpenPlans(facts, request),
    ],
    warnings: [...version.warnings, ...judgeSpace(facts, request).warnings, ...judgeOplog(facts, request), ...judgeBesides(facts, request), ...judgeUnlisted(facts, request)],
  };
}

/** Random names: only what somebody made on purpose can be there. */
function scratchFaults(facts: TargetFacts, { selected }: Request): string[] {
  const wanted = new Set(selected.map(({ db }) => db));
  return facts.databases.filter((name) => wanted.has(name)).map((name) => `the target has a database ${name} already`);
}

function judgeTopology(facts: TargetFacts): string[] {
  if (facts.topology === 'sharded') return ['the target is a sharded cluster, which cannot be restored into yet'];
  return facts.writablePrimary ? [] : ['no primary of the target takes writes'];
}

function needsOf(request: Request): Parameters<typeof missingPrivileges>[1] {
  const places = request.selected.filter(({ entry }) => entry.body.kind !== 'users' && entry.body.kind !== 'roles');
  const databasesOf = (chosen: readonly SelectedEntry[]): string[] => [...new Set(chosen.map(({ db }) => db))];
  return {
    databases: databasesOf(places),
    scripts: databasesOf(places.filter(({ name }) => name === 'system.js')),
    timeSeries: databasesOf(places.filter(({ entry }) => entry.body.kind === 'timeseries')),
    users: request.usersAndRoles && places.length < request.selected.length,
    // The catalog of views, and a profile where the server profiles, go with their database only.
    emptied: request.rehearse === true ? databasesOf(places) : [],
  };
}

/** Of a restore that replaces nothing. */
function takenName(facts: TargetFacts, { entry, db, name }: SelectedEntry): string[] {
  const isAuth = entry.body.kind === 'users' || entry.body.kind === 'roles';
  const taken = [name, bucketsOf(name)].find((each) => facts.live.get(db)?.has(each) === true);
  return isAuth || taken === undefined ? [] : [`${showNamespace(`${db}.${taken}`)} is there already, and nothing was to be replaced: give the restored one another name, or a suffix`];
}

function judgeLiveName(facts: TargetFacts, choice: TimeSeriesChoice, { entry, db, name }: SelectedEntry): string[] {
  const live = facts.live.get(db)?.get(name);
  const { kind } = entry.body;
  const where = showNamespace(`${db}.${name}`);
  if (kind === 'timeseries' && live?.type !== 'timeseries' && facts.live.get(db)?.has(bucketsOf(name)) === true) {
    return [`${showNamespace(`${db}.${bucketsOf(name)}`)} is there without its time series, and none can be made over it; look at what it holds, then drop it`];
  }
  if (live === undefined || kind === 'users' || kind === 'roles') return [];
  if (kind === 'collection' && live.type === 'view') return [`${where} is a view on the target and a collection in the snapshot; drop the view or restore under another name`];
  if (kind !== 'timeseries' && live.type === 'timeseries') return [`${where} is a time series on the target, which nothing can be renamed over; drop it or restore under another name`];
  if (kind === 'timeseries' && live.type === 'view') return [`${where} is a view on the target and a time series in the snapshot; drop the view or restore under another name`];
  if (kind === 'timeseries' && live.type === 'timeseries' && choice === 'refuse') return [`${where} is a time series that is there, and time series can't be renamed: choose \`replace\` to drop it once its copy is proven, or \`beside\` to get the restored one under a name beside it (docs/guides/time-series.md)`];
  return [];
}

function judgeSpace(facts: TargetFacts, request: Request): Judgement {
  const bytes = bytesOf(request);
  if (facts.freeBytes === null) return { reasons: [], warnings: ['the free space of the target is not known'] };
  const room = `the target has ${inWords(facts.freeBytes)} free and the documents have ${inWords(bytes)}`;
  // A full disk stops the whole server, so what can't be excluded is refused; compression is not counted on.
  if (bytes > facts.freeBytes) return { reasons: [`${room}: there is not enough room beside what is live${keptWords(facts)}`], warnings: [] };
  if (bytes * (request.room ?? 1) > facts.freeBytes) return { reasons: [`${room}: it asks for ${request.room} times of them, so that it never fills a disk`], warnings: [] };
  return { reasons: [], warnings: bytes * 1.5 > facts.freeBytes ? [`${room}; indexes and the oplog need more`] : [] };
}

/** What is kept for an undo is the first thing that can go. */
function keptWords({ live, shadows }: TargetFacts): string {
  const kept = [...live].flatMap(([db, names]) => [...names.keys()].map((name) => `${db}.${name}`)).filter((name) => shadows.has(name));
  return kept.length === 0 ? '' : `; ${kept.length} collections are kept there for an undo of earlier restores (${kept.slice(0, 3).join(', ')}${kept.length > 3 ? ', …' : ''}), and DELETE …/restores/{id}/kept lets go of them`;
}

function judgeOplog(facts: TargetFacts, request: Request): string[] {
  const bytes = bytesOf(request);
  if (facts.oplogBytes === null || bytes < facts.oplogBytes / 2) return [];
  return [`the documents have ${inWords(bytes)} and the target's oplog holds ${inWords(facts.oplogBytes)}: a secondary that falls behind has to sync anew, and continuous readers of the oplog lose their place`];
}

function judgeBesides(facts: TargetFacts, request: Request): string[] {
  const series = request.selected.filter(({ entry }) => entry.body.kind === 'timeseries');
  const plain = series.filter(({ db, name }) => facts.live.get(db)?.get(name)?.type === 'collection');
  const inTheWay = plain.map(({ db, name }) => `${showNamespace(`${db}.${name}`)} is a plain collection on the target and a time series in the snapshot; it is moved aside and kept`);
  if (request.timeSeries !== 'beside') return inTheWay;
  return [...inTheWay, ...series
    .filter(({ db, name }) => facts.live.get(db)?.get(name)?.type === 'timeseries')
    .map(({ db, name }) => `the time series ${showNamespace(`${db}.${name}`)} is there and stays as it is; the restored one gets a name beside it`)];
}

function judgeUnlisted(facts: TargetFacts, request: Request): string[] {
  if (!isWholeCluster(request.selection)) return [];
  const known = new Set(request.selected.map(({ db, name }) => `${db}.${name}`));
  const missing = [...facts.live].flatMap(([db, names]) => [...names.keys()].filter((name) => covers(request.captured, db, name)).map((name) => `${db}.${name}`)).filter((name) => !known.has(name) && isUserNamespace(name) && !facts.shadows.has(name));
  return missing.length === 0 ? [] : [`the snapshot lacks ${missing.length} live collections, which are moved aside where they can be: ${missing.slice(0, 20).map(showNamespace).join(', ')}`];
}

function judgeOpenPlans(facts: TargetFacts, request: Request): string[] {
  const wanted = new Set(request.selected.map(({ db, name }) => `${db}.${name}`));
  return facts.openPlans
    .filter((plan) => namesOnTarget(plan).some((name) => wanted.has(name)))
    .map((plan) => `the restore ${plan.restoreId} of the same collections is not over (${plan.state}, ${namesInPlan(plan).length} names)`);
}

/** Not of the server's own: those are never moved. */
export function isUserNamespace(namespace: string): boolean {
  return !/^(admin|config|local|__leafvault)\./.test(namespace) && (!/^[^.]+\.system\./.test(namespace) || namespace.endsWith('.system.js'));
}

function bytesOf(request: Request): number {
  // A time series that gets its live name is written twice.
  return request.selected.reduce((sum, { entry }) => sum + entry.body.bytes * (entry.body.kind === 'timeseries' ? 2 : 1), (request.replayed ?? 0) - (request.there ?? 0));
}

function inWords(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`;
}

