// What passes between the repository and its worker threads.

/** A slot is shared memory: 32 bytes of chunk id, then the raw bytes, which the sealed ones replace. */
export const SLOT_DATA_AT = 64;

export interface WorkerStart {
  readonly chunkIdKey: Uint8Array;
}

export type ChunkJob =
  | { readonly kind: 'filter'; readonly memory: SharedArrayBuffer }
  | {
    readonly kind: 'seal';
    readonly job: number;
    readonly slot: SharedArrayBuffer;
    readonly rawLength: number;
    readonly packKey: Uint8Array;
    readonly packId: Uint8Array;
    readonly counter: number;
    /** False: a chunk that the filter may hold is only named, not sealed. */
    readonly always: boolean;
  }
  | {
    /** Neighbouring chunks of one pack at once: a message for each would cost more than opening it. */
    readonly kind: 'open';
    readonly job: number;
    /** Bytes of the pack from some offset on. */
    readonly stored: Uint8Array;
    readonly packKey: Uint8Array;
    readonly packId: Uint8Array;
    /** Chunk entries of 64 bytes; their offsets count from the beginning of `stored`, their bases are places in `bases`. */
    readonly entries: Uint8Array;
    /** What deltas among them rest on. */
    readonly bases?: readonly OpenBase[];
  };

/** Raw bytes in memory that the threads share. Null: deltas on it are verified by their tags alone, and what comes for them means nothing. */
export interface OpenBase { readonly id: Uint8Array; readonly raw: Uint8Array | null }

/** `storedLength` 0: perhaps known, not sealed. */
export interface SealAnswer { readonly kind: 'sealed'; readonly job: number; readonly type: number; readonly storedLength: number }
/** Raw bytes of all chunks one after the other; those of a chunk that could not be opened mean nothing. */
export interface OpenAnswer { readonly kind: 'opened'; readonly job: number; readonly raw: Uint8Array; readonly faults: readonly ChunkFault[] }
/** `chunk`: which of the entries, from 0. */
export interface ChunkFault { readonly chunk: number; readonly reason: string }
/** The worker is at fault, not the chunk. */
export interface FailAnswer { readonly kind: 'failed'; readonly job: number; readonly reason: string }
export type ChunkAnswer = SealAnswer | OpenAnswer | FailAnswer;
