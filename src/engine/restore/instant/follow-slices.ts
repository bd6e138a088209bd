// Proves while slices are read that they reach from the base to the border without a gap.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../../domain/cluster-time.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { asBuffer, BSON_TYPE, documentLength, rawField } from '../../bson/index.ts';
import type { KeptSlice } from '../../contracts.ts';
import { outside } from './check-base.ts';

export interface Reach {
  /** The instant of the base. */
  readonly base: ClusterTime;
  readonly border: ClusterTime;
}

/**
 * The raw slices, up to the one that holds the border.
 * @throws RESTORE_INSTANT_OUTSIDE, REPLAY_WINDOW_BROKEN, and what reading the chain throws
 */
export async function* followSlices(slices: AsyncIterable<KeptSlice>, { base, border }: Reach): AsyncGenerator<Uint8Array, void, undefined> {
  let reachesTo: ClusterTime | null = null;
  for await (const slice of slices) {
    if (reachesTo === null && compareClusterTimes(slice.from, base) > 0) {
      throw outside(`the kept oplog begins behind ${showClusterTime(slice.from)}, and the snapshot stands for ${showClusterTime(base)}`, { base, border, reachesTo: null });
    }
    if (reachesTo !== null && compareClusterTimes(slice.from, reachesTo) !== 0) throw broken(slice.from, reachesTo);
    checkTimes(slice);
    yield slice.raw;
    reachesTo = slice.to;
    if (compareClusterTimes(reachesTo, border) >= 0) return;
  }
  // A window begins with the base alone: of the oplog behind it nothing counts.
  if (reachesTo === null && compareClusterTimes(border, base) === 0) return;
  const reach = reachesTo === null ? 'holds nothing for it' : `reaches to ${showClusterTime(reachesTo)}`;
  throw outside(`the kept oplog ${reach}, and the instant is ${showClusterTime(border)}`, { base, border, reachesTo });
}

/** Entries rise; that the first lies behind `from` and the last is `to` is all that is left to see. */
function checkTimes({ from, to, raw }: KeptSlice): void {
  const bytes = asBuffer(raw);
  let first = 0;
  let last = 0;
  for (let at = 0; at < bytes.length; at += documentLength(bytes, at)) {
    if (at === 0) first = documentLength(bytes, 0);
    last = at;
  }
  if (bytes.length === 0) throw broken(to, from);
  const [begin, end] = [timeOf(bytes.subarray(0, first)), timeOf(bytes.subarray(last))];
  if (begin === null || compareClusterTimes(begin, from) <= 0) throw broken(begin ?? from, from);
  if (end === null || compareClusterTimes(end, to) !== 0) throw broken(end ?? to, to);
}

function timeOf(entry: Buffer): ClusterTime | null {
  const field = rawField(entry, 'ts');
  return field?.type === BSON_TYPE.timestamp ? { i: entry.readUInt32LE(field.valueAt), t: entry.readUInt32LE(field.valueAt + 4) } : null;
}

function broken(position: ClusterTime, before: ClusterTime): LeafvaultError {
  return new LeafvaultError('REPLAY_WINDOW_BROKEN', `Reading the window failed at ${showClusterTime(position)}: its slice should go on at, or end with, ${showClusterTime(before)}`, {
    details: { position, before }, hint: 'The slices are damaged or out of order: verify the repository',
  });
}
