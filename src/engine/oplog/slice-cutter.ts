// Gathers raw entries into slices: closed by size, by age, or when asked.
import { createHash } from 'node:crypto';
import type { ClusterTime } from '../../domain/cluster-time.ts';

/** Entries with `from < ts <= to`, as they stand in the oplog. */
export interface OplogSlice {
  readonly from: ClusterTime;
  readonly to: ClusterTime;
  readonly entries: number;
  readonly bytes: number;
  /** Whole entries one after the other; a piece holds one. */
  readonly raw: readonly Buffer[];
  /** Hex SHA-256 of the last entry: what has to stand at `to` when somebody goes on there. */
  readonly digest: string;
}

export interface SliceCutter {
  /** Takes a copy, and gives it. */
  add(raw: Buffer, time: ClusterTime): Buffer;
  /** With an entry of that many bytes the slice would pass its limit: what is there goes first. */
  wouldOverflow(bytes: number): boolean;
  /** Large or old enough. */
  readonly isDue: boolean;
  readonly isEmpty: boolean;
  /** The slice of what was gathered; the next one begins behind it. Not to be called when empty. */
  cut(): OplogSlice;
}

export interface SliceLimits {
  readonly bytes: number;
  /** Since the first entry of the slice was read. */
  readonly ms: number;
}

export function createSliceCutter(from: ClusterTime, limits: SliceLimits, monotonicMs: () => number): SliceCutter {
  let begin = from;
  let end = from;
  let raw: Buffer[] = [];
  let bytes = 0;
  let since = 0;
  return {
    add(entry, time) {
      if (raw.length === 0) since = monotonicMs();
      const copy = Buffer.from(entry);
      raw.push(copy);
      bytes += entry.length;
      end = time;
      return copy;
    },
    wouldOverflow: (more) => raw.length > 0 && bytes + more > limits.bytes,
    get isDue() { return raw.length > 0 && (bytes >= limits.bytes || monotonicMs() - since >= limits.ms); },
    get isEmpty() { return raw.length === 0; },
    cut() {
      const last = raw.at(-1) ?? Buffer.alloc(0);
      const slice: OplogSlice = { from: begin, to: end, entries: raw.length, bytes, raw, digest: digestOf(last) };
      begin = end;
      raw = [];
      bytes = 0;
      return slice;
    },
  };
}

/** Hex SHA-256 of a raw entry; members of a set hold the same bytes. */
export function digestOf(raw: Uint8Array): string {
  return createHash('sha256').update(raw).digest('hex');
}
