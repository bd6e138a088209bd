// What the engine offers to jobs: capture a cluster into a repository writer, restore from a reader,
// stream a snapshot as a mongodump directory. The bodies below are what roots and entries hold.
import type { Readable } from 'node:stream';
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { LeaveOutRequest, LeftOutReport } from '../domain/leave-out.ts';
import type { NamespaceSelection } from '../domain/namespace-selection.ts';
import type { RestoreSelection, TimeSeriesChoice } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { OnProgress } from '../foundation/progress.ts';
import type { Chains, RepositoryReader, RepositoryWriter, SnapshotRoot } from '../repository/repository.ts';

/** Body of a snapshot's root. */
export interface SnapshotBody {
  readonly engineVersion: 1;
  readonly source: {
    readonly topology: 'replicaSet' | 'standalone';
    readonly replicaSetName: string | null;
    readonly replicaSetId: string | null;
    readonly serverVersion: string;
    readonly featureCompatibilityVersion: string;
    /** host:port of the member that was read. */
    readonly member: string;
  };
  /** `fuzzy`: no oplog, or not one instant; never sold as more. */
  readonly consistency: 'point-in-time' | 'fuzzy';
  /** T0: from here on the oplog was followed. */
  readonly beganAt: ClusterTime | null;
  /** T1: the instant that the snapshot stands for. */
  readonly pointInTime: ClusterTime | null;
  /** T1 as wall-clock time (ISO 8601). */
  readonly capturedAt: string;
  /** What the capture was told to take; empty: everything. A restore moves nothing aside outside of it. Absent where something is excluded. */
  readonly selection?: NamespaceSelection;
  /** The same where something is excluded: a program that knows no exclusions takes two empty lists for everything, and would move aside what was left out. */
  readonly narrowedSelection?: NamespaceSelection;
  readonly collections: number;
  readonly documents: number;
  /** Raw BSON bytes of all documents. */
  readonly bytes: number;
}

export type EntryKind = 'collection' | 'timeseries' | 'view' | 'users' | 'roles';

/** Body of one entry. Lists: `scan` (chunks as read), `touched` (sorted raw ids to leave out of the scan), `patch` (their documents at T1). */
export interface CollectionBody {
  readonly kind: EntryKind;
  readonly db: string;
  /** Logical name; for a time series not that of its buckets. */
  readonly name: string;
  /**
   * Made by the server for a while (`$out`, `convertToCapped`) and not renamed yet at T1. No part of what the snapshot restores, shows and
   * counts; an instant behind it may need it. Absent: no.
   */
  readonly temporary?: true;
  /** 32 hex digits; null for views, users and roles. */
  readonly uuid: string | null;
  /** base64 of a BSON document: options as `listCollections` gives them. */
  readonly options: string;
  /** base64 of a BSON document `{indexes: […]}` as `listIndexes` gives them. */
  readonly indexes: string;
  /** Of the settled set: scan without touched, plus patch. */
  readonly documents: number;
  readonly bytes: number;
  /** 32 hex digits: sum modulo 2^128 (two lanes of 64) of per-document hashes, independent of order. */
  readonly hash: string;
  /** True for capped collections: order counts, `orderedHash` is proof of it. */
  readonly capped: boolean;
  readonly orderedHash: string | null;
  /** Mask of the chunk cut, inherited by the next snapshot of this collection. */
  readonly cutMask: number;
}

export interface CaptureOptions {
  /** Any connection string that the driver takes. */
  readonly uri: string;
  readonly writer: RepositoryWriter;
  readonly hashSeed: Buffer;
  /** The newest whole snapshot of the same cluster, or where there is none the newest: member and cut masks are taken over from it. */
  readonly previous: { readonly root: SnapshotRoot; readonly reader: RepositoryReader } | null;
  /** Stores what changed little since `previous` as its difference from that (docs/design/deltas.md). Default: true. */
  readonly deltas?: boolean | undefined;
  /** Empty or absent: everything. */
  readonly selection?: NamespaceSelection;
  /** A private folder for tables on disk; emptied by the caller afterwards. */
  readonly tempDir: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly log: Logger;
  readonly clock: Clock;
  /** `stallAfterMs`: a stage without progress for so long fails with CAPTURE_STALLED; 5 minutes by default. */
  readonly limits?: { readonly collectionsAtOnce?: number; readonly bytesPerSecond?: number; readonly stallAfterMs?: number };
  /** Called between phases; tests use it to act at a known place. */
  readonly onPhase?: (phase: string) => Promise<void>;
}

export interface CaptureResult {
  /** Entries were added to the writer; the caller commits with this body. */
  readonly body: SnapshotBody;
  /** Names of the selection of which nothing is there. Absent: none. */
  readonly missing?: readonly string[];
}

export type CaptureSnapshot = (options: CaptureOptions) => Promise<CaptureResult>;

/** Where the plan and the swap's journal stand; each save is durable and fenced when it resolves. */
export interface RestoreJournal {
  load(): Promise<Readonly<Record<string, unknown>> | null>;
  save(plan: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A slice of an oplog as a chain of the repository keeps it. */
export interface KeptSlice {
  /** Exclusive. */
  readonly from: ClusterTime;
  /** Inclusive. */
  readonly to: ClusterTime;
  /** Whole entries side by side. */
  readonly raw: Uint8Array;
}

/** Which instant a snapshot is to be brought to, and the oplog that says how. */
export interface KeptInstant {
  /** Everything up to and including this position counts. */
  readonly border: ClusterTime;
  /** Of the chain; null where it isn't known. */
  readonly replicaSetId: string | null;
  /**
   * Slices of one chain, verified and in order, from the one that holds what comes behind `behind` on (earlier ones may come too); null: from
   * the beginning of the chain. May be called again. `slicesOfChain` makes it of `Repository.chains`.
   */
  readonly slices: (read: { readonly behind: ClusterTime | null; readonly signal: AbortSignal }) => AsyncIterable<KeptSlice>;
  /** What is left out of it. */
  readonly leaveOut?: LeaveOutRequest;
}

/** A chain of the repository, for `slicesOfChain`. */
export interface ChainToRead {
  readonly chains: Pick<Chains, 'read' | 'slices'>;
  readonly chainId: string;
  /** How many slices the chain is known to have: what lies before the base is then passed over by a search. Absent: it is read from its beginning. */
  readonly slices?: number;
}

export interface RestoreOptions {
  /** 24 hex digits; the same on every attempt of one restore. */
  readonly restoreId: string;
  readonly reader: RepositoryReader;
  readonly hashSeed: Buffer;
  readonly root: SnapshotRoot;
  readonly target: { readonly uri: string };
  readonly selection: RestoreSelection;
  readonly indexStrategy: 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';
  readonly usersAndRoles: boolean;
  /** Absent: the snapshot as it is. With it selection, renames and the result mean names at that instant. */
  readonly instant?: KeptInstant;
  /** What becomes of a time series that exists on the target: it can't be renamed, so it can't be swapped. */
  readonly timeSeries: TimeSeriesChoice;
  /** `refuse`: nothing that is there is replaced, and a name that is taken refuses the restore; `replace` where absent. */
  readonly existing?: 'replace' | 'refuse';
  /** `drop`: the old collections go once the swap is done; `keep`: they stay, named in the result. */
  readonly oldCollections: 'drop' | 'keep';
  /** Ends behind the proof: nothing is swapped, everything that was built is dropped. */
  readonly rehearse?: boolean;
  /** How many times the raw bytes have to be free on the target; 1 where absent. */
  readonly room?: number;
  readonly journal: RestoreJournal;
  readonly tempDir: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly log: Logger;
  readonly clock: Clock;
  readonly onPhase?: (phase: string) => Promise<void>;
  /**
   * Whether the reason of the signal only lets the restore rest. Then collections that were loaded whole stay under construction, and the next
   * attempt with the same `restoreId` takes them over and proves them; `settle` takes them away. Absent: an attempt that ends is rolled back.
   */
  readonly rests?: (reason: unknown) => boolean;
  /** Told once in each attempt, when preflight is over (to an instant: when the window was read); nothing is written to the target before it resolves. */
  readonly onWarnings?: (warnings: readonly string[]) => Promise<void>;
}

export interface RestoreResult {
  readonly collections: readonly {
    readonly from: string;
    readonly to: string;
    readonly documents: number;
    readonly bytes: number;
    readonly hash: string;
    readonly indexes: number;
    readonly failedIndexes: readonly { readonly name: string; readonly reason: string }[];
  }[];
  readonly documents: number;
  readonly bytes: number;
  readonly movedAside: readonly string[];
  /** False: nothing of it was swapped, so nothing can be swapped back. */
  readonly undoable?: boolean;
  /** Null where nothing was to be left out. */
  readonly leftOut?: LeftOutReport | null;
  /** What preflight warned of, and last steps that the target refused after the collections went live. */
  readonly warnings?: readonly string[];
}

/** What a rehearsal takes of a restore; names, users and roles are its own affair. */
export interface RehearsalOptions extends Omit<RestoreOptions, 'selection' | 'rehearse' | 'oldCollections' | 'timeSeries' | 'usersAndRoles' | 'instant'> {
  /** Databases or `db.collection`; empty: everything. */
  readonly namespaces: readonly string[];
}

/** A restore into scratch databases up to its proof; nothing is left of it when it resolves. */
export type RehearseRestore = (options: RehearsalOptions) => Promise<RestoreResult>;

/** Takes away what a dead worker left of a rehearsal. Safe to call again. */
export type SettleRehearsal = (options: SettleOptions) => Promise<void>;

/** Rehearsals, of whomever, whose plans lie on a cluster. */
export type FindRehearsals = (options: Pick<SettleOptions, 'target' | 'signal'>) => Promise<readonly { readonly restoreId: string; readonly snapshotId: string }[]>;

/** A mongod that nobody else uses, with one account that may do everything. */
export interface Throwaway {
  /** Carries the password. */
  readonly uri: string;
  readonly password: string;
  readonly pid: number;
  /** Killed, its folder removed. Safe to call twice. */
  stop(): Promise<void>;
}

export type StartThrowaway = (options: {
  /** Path of a mongod. */
  readonly binary: string;
  /** Made anew; on the file system that takes the data. */
  readonly folder: string;
  readonly signal: AbortSignal;
}) => Promise<Throwaway>;

export type RestoreSnapshot = (options: RestoreOptions) => Promise<RestoreResult>;

/** Ends what a dead worker left of a restore: swap rolled to one side, shadows dropped. Safe to call again. */
export type SettleRestore = (options: SettleOptions) => Promise<'old' | 'new'>;

export interface SettleOptions extends Pick<RestoreOptions, 'restoreId' | 'target' | 'journal' | 'signal' | 'log'> {
  /** With it a roll back tells by hash whether a collection that was live for a while was written to; without it such collections are kept. */
  readonly hashSeed?: Uint8Array;
  /** Of what a catalog that was brought back knows without its plan: the target alone can say whether there is something to end, so it has to answer. */
  readonly mustReach?: boolean;
}

/** Whether the servers that a connection string leads to are others than those of a plan that has to be ended on its own. Changes nothing. */
export type StandsElsewhere = (options: StandsElsewhereOptions) => Promise<boolean>;

export interface StandsElsewhereOptions extends Pick<RestoreOptions, 'restoreId' | 'target' | 'signal'> {
  /** As the journal has it. */
  readonly plan: Readonly<Record<string, unknown>> | null;
}

export interface UndoResult {
  /** Collections and views that are live again as they were before the restore. */
  readonly putBack: readonly string[];
  /** What stays: the collections that the restore had made live, under their kept names. */
  readonly movedAside: readonly string[];
  /** What the undo leaves as it is. */
  readonly warnings: readonly string[];
}

/** Swaps the kept old collections of a restore back. The journal is that of the restore. */
export type UndoRestore = (options: UndoOptions) => Promise<UndoResult>;

export interface UndoOptions extends Pick<RestoreOptions, 'restoreId' | 'target' | 'journal' | 'signal' | 'log' | 'clock' | 'onProgress' | 'onPhase'> {
  /** The same on every attempt of one undo; another one takes it back. */
  readonly undoId: string;
  /** The data that is to be live; where it is already, nothing is done. Absent: the other than now. */
  readonly wanted?: 'old' | 'new' | undefined;
}

/** Drops the kept old collections of a restore. The journal is that of the restore. */
export type DropKept = (options: Pick<RestoreOptions, 'restoreId' | 'target' | 'journal' | 'signal' | 'log'>) => Promise<readonly string[]>;

export interface ArchiveOptions {
  readonly reader: RepositoryReader;
  readonly hashSeed: Buffer;
  readonly root: SnapshotRoot;
  readonly selection: RestoreSelection;
  readonly tempDir: string;
  readonly signal: AbortSignal;
}

/** Where an export goes: below its prefix. */
export interface ExportSink {
  /** Whole, in the place of what is there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  has(key: string): Promise<boolean>;
}

export interface ExportOptions extends Pick<ArchiveOptions, 'reader' | 'hashSeed' | 'root' | 'tempDir' | 'signal'> {
  readonly sink: ExportSink;
  /** Of the files of each collection: `<partName>.0.json.gz`. */
  readonly partName: string;
  /** Of the whole snapshot, for progress; null where it isn't known. */
  readonly documents: number | null;
  readonly bytes: number | null;
  readonly onProgress: OnProgress;
  /** Once before the first, and behind each. */
  readonly onCollection: (exported: number, total: number) => Promise<void>;
  /** Text of a part before gzip; 32 MiB where absent. */
  readonly partBytes?: number;
}

export interface ExportResult {
  readonly collections: number;
  readonly documents: number;
  readonly bytes: number;
  /** Parts with documents. */
  readonly files: number;
}

/** May be called again with the same sink: what is whole there is left as it is. */
export type ExportSnapshot = (options: ExportOptions) => Promise<ExportResult>;

/** A `.tar.gz` of a mongodump directory below one top folder, streamed; ends with an error rather than short. */
export type StreamArchive = (options: ArchiveOptions) => Readable;
