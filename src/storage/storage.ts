// The storage port: named immutable objects. Each kind (local folder, memory, S3) passes
// the same contract suite, test/contracts/storage.contract.ts.

export interface ObjectInfo {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Who can take a held object away: whoever has a right of its own, or nobody. */
export type LockMode = 'governance' | 'compliance';

export interface LockTerms {
  readonly mode: LockMode;
  /** How long a new object is held. */
  readonly days: number;
}

/** What was deleted in a store that keeps versions. */
export interface PurgeReport {
  /** Versions that went for good. */
  readonly removed: number;
  readonly removedBytes: number;
  /** Versions that are still there, out of sight. */
  readonly hidden: number;
  readonly hiddenBytes: number;
  /** Why the store lets none go; null: it does. */
  readonly refused: string | null;
}

/** Holding objects against everybody until a time (docs/design/object-lock.md). */
export interface ObjectLock extends LockTerms {
  /** Asks the store whether it can hold anything. @returns what is odd about how it does @throws STORAGE_LOCK_UNAVAILABLE, and what asking fails with */
  assertAvailable(): Promise<readonly string[]>;
  /** Until when the object is held, which may be over; null: it is not. @throws STORAGE_OBJECT_MISSING */
  heldUntil(name: string): Promise<Date | null>;
  /** Holds it at least until then; may be called again, and shortens nothing. @throws STORAGE_OBJECT_MISSING, STORAGE_DENIED */
  hold(name: string, until: Date): Promise<void>;
  /**
   * Names under which other bytes lie than before, whether there was a delete in between or not. Nothing is ever put over; what was damaged may have been put anew.
   * @param takes what else lies in the bucket is left alone
   */
  overwritten(takes: (name: string) => boolean, options?: { readonly signal?: AbortSignal }): AsyncIterable<string>;
  /**
   * Takes away for good what was deleted before `before` and is held no more. A key that may not is told in the report.
   * @param takes what else lies in the bucket is left alone
   */
  purge(before: Date, takes: (name: string) => boolean, options?: { readonly signal?: AbortSignal }): Promise<PurgeReport>;
}

export interface PutOptions {
  readonly signal?: AbortSignal;
  /** It comes and goes: not held where the store holds what is put. */
  readonly passing?: boolean;
  /** Told when a try failed and another one follows (`withRetry`): the object may come once more, when it was deleted meanwhile. */
  readonly onAgain?: () => void;
}

export interface Storage {
  /** For messages; holds no secret. */
  readonly address: string;
  /** Where what is put is held against everybody; absent: it is not. */
  readonly objectLock?: ObjectLock;
  /** The store as it was at an instant: nothing can be put or taken away (STORAGE_READ_ONLY). */
  readonly isPast?: true;

  /**
   * Stores a whole object under a name that was never used. Resolves only when the bytes and the
   * name are durable (file and folder fsynced, or acknowledged with a checksum).
   * Names: segments of `[A-Za-z0-9._-]` joined with `/`. Write-once: an existing name is refused.
   * @throws STORAGE_OBJECT_EXISTS (permanent), STORAGE_FULL, STORAGE_FAILED (retryable says which)
   */
  put(name: string, bytes: Uint8Array | readonly Uint8Array[], options?: PutOptions): Promise<void>;

  /**
   * Reads a whole object, or `length` bytes from `offset`. A range past the end is an error, not a short read.
   * @throws STORAGE_OBJECT_MISSING
   */
  get(name: string, range?: { readonly offset: number; readonly length: number }, options?: { readonly signal?: AbortSignal }): Promise<Buffer>;

  /** Size, or null when there is no such object. */
  stat(name: string): Promise<ObjectInfo | null>;

  /** Objects whose name begins with `prefix` (`packs/`), in no promised order, streamed. Half-written objects never show. */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /**
   * Deletes; a missing object is no error. Only pruning and session owners call it.
   * @param options `passing`: for good, also where the store would keep it as an older version
   * @throws STORAGE_LOCKED where the store holds it, STORAGE_DENIED
   */
  delete(name: string, options?: { readonly passing?: boolean }): Promise<void>;

  /** True where `put` of an existing name is refused atomically across processes (local `link`, conditional put). A store that has to be asked is asked once. */
  conditionalPut(): Promise<boolean>;

  close(): Promise<void>;
}
