// The storage port: named immutable objects. Each kind (local folder, memory, S3) passes
// the same contract suite, test/contracts/storage.contract.ts.

export interface ObjectInfo {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface Storage {
  /** For messages; holds no secret. */
  readonly address: string;

  /**
   * Stores a whole object under a name that was never used. Resolves only when the bytes and the
   * name are durable (file and folder fsynced, or acknowledged with a checksum).
   * Names: segments of `[A-Za-z0-9._-]` joined with `/`. Write-once: an existing name is refused.
   * @throws STORAGE_OBJECT_EXISTS (permanent), STORAGE_FULL, STORAGE_FAILED (retryable says which)
   */
  put(name: string, bytes: Uint8Array | readonly Uint8Array[], options?: { readonly signal?: AbortSignal }): Promise<void>;

  /**
   * Reads a whole object, or `length` bytes from `offset`. A range past the end is an error, not a short read.
   * @throws STORAGE_OBJECT_MISSING
   */
  get(name: string, range?: { readonly offset: number; readonly length: number }, options?: { readonly signal?: AbortSignal }): Promise<Buffer>;

  /** Size, or null when there is no such object. */
  stat(name: string): Promise<ObjectInfo | null>;

  /** Objects whose name begins with `prefix` (`packs/`), in no promised order, streamed. Half-written objects never show. */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /** Deletes; a missing object is no error. Only pruning and session owners call it. */
  delete(name: string): Promise<void>;

  /** True where `put` of an existing name is refused atomically across processes (local `link`, conditional put). A store that has to be asked is asked once. */
  conditionalPut(): Promise<boolean>;

  close(): Promise<void>;
}
