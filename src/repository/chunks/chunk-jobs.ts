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
    readonly kind: 'open';
    readonly job: number;
    readonly stored: Uint8Array;
    readonly packKey: Uint8Array;
    readonly packId: Uint8Array;
    readonly counter: number;
    readonly id: Uint8Array;
    readonly type: number;
    readonly rawLength: number;
  };

/** `storedLength` 0: perhaps known, not sealed. */
export interface SealAnswer { readonly kind: 'sealed'; readonly job: number; readonly type: number; readonly storedLength: number }
export interface OpenAnswer { readonly kind: 'opened'; readonly job: number; readonly raw: Uint8Array }
/** `unreadable`: the chunk is at fault, not the worker. */
export interface FailAnswer { readonly kind: 'failed'; readonly job: number; readonly reason: string; readonly unreadable: boolean }
export type ChunkAnswer = SealAnswer | OpenAnswer | FailAnswer;
