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
    readonly task: SealTask;
    /** What the chunk may be stored as a delta of. One that can't be opened is none. */
    readonly base?: SealedBase | null;
  }
  | {
    /** A delta goes to another pack: opened and sealed again as it is, without its base. The slot holds its id and its sealed bytes. */
    readonly kind: 'reseal';
    readonly job: number;
    readonly slot: SharedArrayBuffer;
    readonly storedLength: number;
    readonly rawLength: number;
    readonly baseId: Uint8Array;
    /** Where it lies. */
    readonly from: PackPlace;
    /** Where it goes. */
    readonly to: PackPlace;
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

/**
 * - `name`: only named, and the filter asked
 * - `seal new`: the same, and sealed where the filter is sure that it is new
 * - `seal`: named and sealed
 * - `seal named`: sealed; the id stands in the slot already
 */
export type SealTask = 'name' | 'seal new' | 'seal' | 'seal named';

export interface PackPlace { readonly packKey: Uint8Array; readonly packId: Uint8Array; readonly counter: number }

/** A full chunk as it lies in its pack. */
export interface SealedBase extends PackPlace { readonly id: Uint8Array; readonly stored: Uint8Array; readonly type: number; readonly rawLength: number }

/** `storedLength` 0: not sealed; `mayBeKnown`: the filter may hold it. Of a `reseal` 0 says that what lies there was altered. */
export interface SealAnswer { readonly kind: 'sealed'; readonly job: number; readonly type: number; readonly storedLength: number; readonly mayBeKnown: boolean }
/** Raw bytes of all chunks one after the other; those of a chunk that could not be opened mean nothing. */
export interface OpenAnswer { readonly kind: 'opened'; readonly job: number; readonly raw: Uint8Array; readonly faults: readonly ChunkFault[] }
/** `chunk`: which of the entries, from 0. */
export interface ChunkFault { readonly chunk: number; readonly reason: string }
/** The worker is at fault, not the chunk. */
export interface FailAnswer { readonly kind: 'failed'; readonly job: number; readonly reason: string }
export type ChunkAnswer = SealAnswer | OpenAnswer | FailAnswer;
