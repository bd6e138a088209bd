// The contract of dumps: what somebody wants to find again who has only the store and a key. The repository keeps the bytes and
// does not look into them. docs/design/repository-format.md, section 18.

export interface Dump {
  /** 24 hex digits. */
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly parts: number;
  readonly rawBytes: number;
  /** Of the parts, as they lie in the store. */
  readonly storedBytes: number;
  /** Hex SHA-256 of all raw bytes, one part after the other. */
  readonly sha256: string;
  /** The caller's. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The last object of a dump; `fenced`: there never will be a dump of that id. */
export type DumpObject = Dump | { readonly fenced: true };

export interface TrimmedDumps {
  /** Ids of whole dumps that went. */
  readonly dumps: readonly string[];
  /** Ids of which a crash had left parts. */
  readonly leavings: readonly string[];
  readonly storedBytes: number;
  /** Objects that the store did not let go. */
  readonly stuck: readonly string[];
}

export interface Dumps {
  /**
   * Stores the parts in their order, each acknowledged before the next is asked for, then the manifest, so that a dump is there only when it is
   * whole. `body` is asked for when the last part is stored.
   * @param parts up to 64 MiB each
   * @throws REPOSITORY_DUMP_FENCED, what `parts` throws, what the store fails with
   */
  write(parts: AsyncIterable<Uint8Array>, body: () => Readonly<Record<string, unknown>>, options?: { readonly signal?: AbortSignal }): Promise<Dump>;
  /** Whole ones, newest first. One that can't be read is told to `onUnreadable`, or else thrown. @throws REPOSITORY_OBJECT_DAMAGED */
  list(options?: { readonly onUnreadable?: (object: string, error: unknown) => void }): Promise<readonly Dump[]>;
  /** Raw parts in order; their sum is compared behind the last one. @throws REPOSITORY_DUMP_MISSING, REPOSITORY_OBJECT_MISSING, REPOSITORY_OBJECT_DAMAGED */
  read(dumpId: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Buffer>;
  /** Takes away those that `keeps` refuses, and what dead writers left. What can't be deleted (locked objects) stays and is told. */
  trim(keeps: (dump: Dump) => boolean, options?: { readonly signal?: AbortSignal }): Promise<TrimmedDumps>;
}
