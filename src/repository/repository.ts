// The repository's contract: content-addressed, encrypted, write-once. It knows chunks, lists of
// chunks, entries (a named JSON body with lists), snapshots (a root over entries) and chains; nothing of MongoDB.
// docs/design/repository-format.md is the format behind it.
import type { OnProgress } from '../foundation/progress.ts';
import type { Chains } from './chains/chains.ts';
import type { CopyOptions, CopyReport } from './copy/copy.ts';
import type { Dumps } from './dumps/dumps.ts';
import type { LockOptions, LockReport } from './lock/extend-locks.ts';
import type { HealOptions, HealReport } from './quarantine/heal-objects.ts';

export type { ChainEnd, ChainHead, Chains, ChainWriter, NewSlice, Slice } from './chains/chains.ts';
export type { CopyOptions, CopyReport } from './copy/copy.ts';
export type { Dump, DumpObject, Dumps, TrimmedDumps } from './dumps/dumps.ts';
export type { LockOptions, LockReport, NeededUntil } from './lock/extend-locks.ts';
export type { HealOptions, HealReport } from './quarantine/heal-objects.ts';

/** One stored run of whole records (documents). */
export interface ChunkRef {
  /** HMAC-SHA-256 of the raw bytes with a repository secret: 32 bytes. */
  readonly id: Buffer;
  readonly rawBytes: number;
  /** Records in it; the repository only adds them up. */
  readonly records: number;
}

/** An ordered list of chunks of any length; its pages are chunks themselves. Plain JSON. */
export interface ChunkList {
  /** Hex id of the top page, null for the empty list. */
  readonly root: string | null;
  /** 0: the root page holds chunk references; n: pages of pages. */
  readonly height: number;
  readonly chunks: number;
  readonly records: number;
  readonly rawBytes: number;
}

/** One part of a snapshot, e.g. a collection: a JSON body that the engine defines, and its lists. */
export interface SnapshotEntry {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly lists: Readonly<Record<string, ChunkList>>;
}

/** The commit record. A snapshot exists when its root exists. */
export interface SnapshotRoot {
  readonly formatVersion: number;
  /** 24 hex digits. */
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Whose snapshot: lets a reader find the previous one of a cluster. */
  readonly series: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Entries, serialised in order; read with `RepositoryReader.entries`. */
  readonly entries: ChunkList;
  readonly stats: WriteStats;
}

export interface WriteStats {
  /** Every chunk that was handed in, new or known (lists' pages included). */
  readonly chunks: number;
  readonly rawBytes: number;
  readonly newChunks: number;
  readonly newRawBytes: number;
  /** Bytes that reached the store, all objects of this writer. */
  readonly storedBytes: number;
}

export interface ChunkListWriter {
  /** Order of calls is the order of the list. Waits when pages have to be stored. */
  append(ref: ChunkRef): Promise<void>;
  finish(): Promise<ChunkList>;
}

/**
 * Called with the id of each chunk that it was handed in with, known or new, in the order of the calls. Any id will do: a wrong one costs
 * time, one of something that is not stored nothing. It must not throw.
 */
export type BaseHint = (id: Buffer) => Buffer | null;

export interface RepositoryWriter {
  readonly sessionId: string;
  /**
   * Stores raw bytes (1 byte to 32 MiB) and gives their reference; a known chunk costs no write.
   * Compression and encryption run off the main thread. Resolves when the bytes were taken over (the
   * caller may reuse its buffer only after that); waits while too much is under way: that is the back-pressure.
   * Several calls may run at once; chunks land in packs in the order of the calls.
   * After any failed write every further call throws that first failure.
   * @param options `base`: names a stored chunk that is likely to be near; where that pays, a new chunk is stored as its difference from it
   */
  putChunk(raw: Uint8Array, records: number, options?: { readonly base?: BaseHint }): Promise<ChunkRef>;
  openList(): ChunkListWriter;
  addEntry(entry: SnapshotEntry): Promise<void>;
  /** Packs, index, entries, then the root, each acknowledged before the next; checks the session's fence before the root. */
  commit(root: { readonly id: string; readonly createdAt: string; readonly series: string; readonly body: Readonly<Record<string, unknown>> }): Promise<SnapshotRoot>;
  /**
   * Counts a stored chunk as handed in, without its bytes: what another writer left with `suspend`. False where it is not stored, or where
   * nothing new may rest on its copies: then its bytes have to be handed in again.
   */
  takeOver(ref: ChunkRef): Promise<boolean>;
  /** Ends the session without a root, once all that was handed in is stored and named by an index. It stays until a prune. */
  suspend(): Promise<void>;
  /** Ends the session without a root. Safe to call twice, and after commit. What was stored stays until a prune. */
  abort(): Promise<void>;
  readonly stats: WriteStats;
}

export interface RepositoryReader {
  /** Verified raw bytes. @throws REPOSITORY_CHUNK_DAMAGED / REPOSITORY_CHUNK_MISSING, naming pack and chunk. */
  readChunk(id: Buffer): Promise<Buffer>;
  /** References of a list, in order, page by page. */
  refs(list: ChunkList): AsyncIterable<ChunkRef>;
  /** Chunks of a list in order, read ahead within a bounded budget, several at once. */
  chunks(list: ChunkList, options?: { readonly signal?: AbortSignal }): AsyncIterable<{ readonly ref: ChunkRef; readonly raw: Buffer }>;
  entries(root: SnapshotRoot): AsyncIterable<SnapshotEntry>;
  /** Ends the read session. Safe to call twice. */
  close(): Promise<void>;
}

/** Small write-once records about a snapshot: expiry, pin, hold, description, proof, deletion. */
export interface Fact {
  readonly id: string;
  readonly snapshotId: string;
  readonly kind: string;
  readonly createdAt: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface CheckReport {
  readonly packs: number;
  readonly chunks: number;
  readonly snapshots: number;
  readonly bytesRead: number;
  /** Packs of which bad copies were written down now, and copies; a whole pack counts as one. */
  readonly quarantinedPacks: number;
  readonly quarantinedCopies: number;
  /** Packs that were found sound again: nothing is written down of them any more. */
  readonly releasedPacks: number;
  /** Empty when the repository is sound. Each names the object and what it costs. */
  readonly problems: readonly CheckProblem[];
}

/** One of `of` parts of all packs, slices and dumps, from 1 up: always the same ones, so that all parts together are everything. */
export interface ReadShare { readonly part: number; readonly of: number }

export interface CheckProblem {
  readonly code: string;
  readonly object: string;
  readonly message: string;
  /** Snapshot ids and entry names that can't be read whole because of it. */
  readonly affects: readonly { readonly snapshotId: string; readonly entry: string | null }[];
}

/** Somebody who reads or writes, or did and died. */
export interface OpenSession {
  readonly id: string;
  readonly kind: 'reader' | 'writer' | 'prune';
  readonly generation: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** What `OpenOptions.owner` said. */
  readonly owner: string;
}

export interface PruneOptions {
  /** Nothing is changed; the report tells what would be. */
  readonly dryRun?: boolean;
  /** True for sessions whose owner is certainly gone, or has had its time: they are ended for good. Default: none is. */
  readonly isOver?: (session: OpenSession) => boolean | Promise<boolean>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface PruneReport {
  /** Snapshots that are there. */
  readonly snapshots: number;
  /** Deleted snapshots whose roots and facts went, or would go. */
  readonly forgotten: number;
  /** Before, all packs. */
  readonly packs: number;
  readonly bytes: number;
  /** Of them in chunks that no snapshot needs. */
  readonly deadBytes: number;
  /** Bytes of packs that went, less what was written anew; in a dry run what it would be. */
  readonly freedBytes: number;
  /** Of live chunks that were put into new packs. */
  readonly rewrittenBytes: number;
  /** Bytes of packs that go once the sessions in the way are over. */
  readonly waitingBytes: number;
  readonly inTheWay: readonly OpenSession[];
  /** Sessions that were ended because `isOver` said so, or that an outage had left; in a dry run those that would be. */
  readonly ended: readonly OpenSession[];
  /** Damaged index objects that were built anew from their packs and moved below `quarantine/`. */
  readonly rebuiltIndexes: readonly string[];
  /** Packs that were left alone because live chunks of them cannot be read. */
  readonly damagedPacks: readonly string[];
  /** Names of objects that the store did not let go, as under an object lock; the next prune asks again. */
  readonly stuck: readonly string[];
  /** That are worth rewriting and stay, since the store had no room for new ones; the next prune has it. */
  readonly postponedPacks: number;
}

export interface Repository {
  /** 24 hex digits, written once in repository.json. */
  readonly id: string;
  /** 32 secret bytes for the engine's cut and document hashes; the same for the repository's whole life. */
  readonly hashSeed: Buffer;
  openWriter(options?: { readonly signal?: AbortSignal }): Promise<RepositoryWriter>;
  /** Open it before the root is loaded: a snapshot that is deleted in between may be pruned. */
  openReader(): Promise<RepositoryReader>;
  /** Ends sessions that an outage left in the store, of this process, in its copies too; they hold back prunes and copiers. A writer does it before it begins, a reader when it has. Throws nothing. */
  endLeftSessions(): Promise<void>;
  /**
   * Roots in no promised order, decrypted and verified; snapshots with a `deleted` fact are left out. A root that can't
   * be read is told to `onUnreadable`, or else thrown after all others were given (REPOSITORY_OBJECT_DAMAGED).
   */
  listSnapshots(options?: { readonly onUnreadable?: (object: string, error: unknown) => void }): AsyncIterable<SnapshotRoot>;
  /** @throws REPOSITORY_SNAPSHOT_MISSING */
  loadSnapshot(id: string): Promise<SnapshotRoot>;
  addFact(fact: Omit<Fact, 'id'>): Promise<Fact>;
  listFacts(snapshotId?: string): AsyncIterable<Fact>;
  /** Logs kept as slices without a gap. */
  readonly chains: Chains;
  /** What the catalog says of itself, for the day on which it is lost. */
  readonly dumps: Dumps;
  /**
   * Takes away what no snapshot needs, beside writers and readers; what an earlier one left is taken up.
   * @throws REPOSITORY_PRUNE_REFUSED where something that may be needed can't be told, or another prune runs, or the store can't refuse taken names
   */
  prune(options?: PruneOptions): Promise<PruneReport>;
  /**
   * Holds longer what snapshots need, where the store holds objects, and takes away for good what was deleted long ago.
   * @returns null where the store holds none
   */
  extendLocks(options: LockOptions): Promise<LockReport | null>;
  /**
   * `quarantine`: bad copies are written down, so that nothing new rests on them and the next snapshot stores them anew; else nothing is changed.
   * `again`: names of slices and dumps that are read whatever the share, since an earlier check found them damaged.
   * @throws REPOSITORY_IS_COPY with `quarantine` in a copy
   */
  check(options?: { readonly readData?: boolean | ReadShare; readonly again?: readonly string[]; readonly quarantine?: boolean; readonly signal?: AbortSignal; readonly onProgress?: OnProgress }): Promise<CheckReport>;
  /**
   * Brings a copy of this repository in another store up to date, beside writers, readers and prunes.
   * @throws REPOSITORY_COPY_REFUSED before anything is written, where that could harm what is in the other store; REPOSITORY_BUSY
   */
  copyTo(options: CopyOptions): Promise<CopyReport>;
  /** Makes a copy a repository like any other: its mark goes, and no copier writes to it again. This one has to be opened anew to be written to. @throws REPOSITORY_BUSY */
  promote(options?: Pick<PruneOptions, 'isOver'>): Promise<void>;
  /** Moves damaged objects aside and fetches them, and missing ones, from a copy. @throws REPOSITORY_BUSY */
  heal(options: HealOptions): Promise<HealReport>;
  /** As `heal`, from the copies that it was opened with, one after the other; nothing where it has none, or none can be asked. @throws REPOSITORY_BUSY */
  healFromCopies(options: Omit<HealOptions, 'from'>): Promise<HealReport>;
  /** Packs of which reads had to take chunks from a copy, damaged or gone, until `healFromCopies` was asked for them. */
  readFromCopies(): readonly string[];
  /** True for a copy: it is read, and only a copier writes to it. */
  readonly isCopy: boolean;
  close(): Promise<void>;
}
