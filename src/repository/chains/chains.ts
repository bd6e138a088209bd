// The contract of chains: logs kept as slices that follow each other without a gap. A *position* is a text whose order
// is that of its characters; what it means is the caller's affair. docs/design/repository-format.md, section 17.

export interface ChainHead {
  /** 24 hex digits. */
  readonly id: string;
  /** Whose log, as `SnapshotRoot.series`. */
  readonly series: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The chain holds what lies behind this position. 16 hex digits. */
  readonly from: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ChainEnd {
  /** ISO 8601. */
  readonly createdAt: string;
  /** `OPLOG_ROLLED_OVER`, `STOPPED`, …: in capitals, for programs. */
  readonly reason: string;
  /** Position of the last slice, or of the head. */
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Slice {
  readonly chainId: string;
  /** From 1 up, without a gap. */
  readonly sequence: number;
  /** Exclusive: `to` of the slice before, or `from` of the head. */
  readonly from: string;
  /** Inclusive; greater than `from`. */
  readonly to: string;
  readonly records: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Hex SHA-256 of the stored object before this one (slice or head). */
  readonly previous: string;
  /** Hex SHA-256 of this stored object. */
  readonly digest: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface NewSlice {
  readonly to: string;
  readonly records: number;
  /** Up to 64 MiB. */
  readonly raw: Uint8Array | readonly Uint8Array[];
  readonly body: Readonly<Record<string, unknown>>;
}

/** Adds to one chain. Not shared: calls follow each other. */
export interface ChainWriter {
  readonly head: ChainHead;
  /** The newest slice, null before the first. */
  readonly last: Slice | null;
  /**
   * Durable when it resolves; after a failed try the same slice may be added again, or the chain resumed.
   * @throws REPOSITORY_CHAIN_TAKEN when somebody else added this sequence, REPOSITORY_CHAIN_ENDED, REPOSITORY_CHAIN_INVALID
   */
  append(slice: NewSlice): Promise<Slice>;
  /**
   * Ends the chain for good; a second end is no error and changes nothing.
   * @throws REPOSITORY_CHAIN_TAKEN when somebody else continued it: resume, then end; REPOSITORY_CHAIN_INVALID
   */
  end(why: { readonly reason: string; readonly body?: Readonly<Record<string, unknown>> }): Promise<ChainEnd>;
}

export interface Chains {
  /** @throws REPOSITORY_CHAIN_INVALID */
  begin(chain: { readonly series: string; readonly from: string; readonly body: Readonly<Record<string, unknown>> }): Promise<ChainWriter>;
  /** Behind the newest slice that the store holds. @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_ENDED, REPOSITORY_CHAIN_BROKEN */
  resume(chainId: string): Promise<ChainWriter>;
  /** Heads with their ends, in no promised order. Damaged ones are thrown after all others were given. */
  list(series?: string): AsyncIterable<{ readonly head: ChainHead; readonly end: ChainEnd | null }>;
  /**
   * Takes away the slices that end at or before a position, but never the newest of a chain that goes on; what an earlier try left goes, too.
   * @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_BROKEN, REPOSITORY_CHAIN_INVALID
   */
  trim(chainId: string, options: { readonly before: string; readonly signal?: AbortSignal }): Promise<{ readonly slices: number; readonly storedBytes: number }>;
  /**
   * Slices from sequence `after + 1` on (0 by default), or from the first that was kept, verified: no number missing, each names the digest of the one
   * before, positions follow each other. @throws REPOSITORY_CHAIN_BROKEN naming chain and sequence
   */
  slices(chainId: string, options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<Slice>;
  /** The same with the raw bytes, one slice in memory at a time. */
  read(chainId: string, options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<{ readonly slice: Slice; readonly raw: Buffer }>;
}
