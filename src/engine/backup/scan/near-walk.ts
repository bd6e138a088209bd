// Names for each chunk of a scan the one that is likely to be near to it: the list of the snapshot before is walked beside. Cuts depend on
// the `_id` alone, so the two run in step but where documents that end a chunk came or went (docs/design/deltas.md, "Who finds the base").
import { isLeafvaultError } from '../../../foundation/errors.ts';
import type { ChunkRef } from '../../../repository/repository.ts';

export interface NearWalk {
  /** Reads on in the old list, so that `near` has what it may need for one more chunk. Call it before each chunk is handed in. */
  fill(): Promise<void>;
  /** The old chunk at the place of the new one with this id; null: the same one is there, or the old list is at its end. Called in the order of the list. */
  near(id: Buffer): Buffer | null;
  /** Lets go of the old list. */
  end(): Promise<void>;
}

/** So far around its place the walk looks for a chunk that it knows, to get in step again. */
const REACH = 64;

/** @param onFailure told once what broke the old list; there are no more names then */
export function createNearWalk(refs: AsyncIterable<ChunkRef>, onFailure: (error: unknown) => void): NearWalk {
  const old = refs[Symbol.asyncIterator]();
  let window: Buffer[] = [];
  /** How each of them begins: most are told apart without a look at the rest. */
  let heads: number[] = [];
  /** In `window`, of the chunk that is next. */
  let place = 0;
  let isOver = false;
  /** Handed in, and not asked for yet. */
  let underWay = 0;
  const readOn = async (): Promise<void> => {
    try {
      const next = await old.next();
      if (next.done === true) isOver = true;
      else {
        // A copy: the id is a view on its page.
        window.push(Buffer.from(next.value.id));
        heads.push(next.value.id.readUInt32LE(0));
      }
    } catch (error) {
      if (!isLeafvaultError(error)) throw error;
      isOver = true;
      onFailure(error);
    }
  };
  const placeOf = (id: Buffer): number => {
    const head = id.readUInt32LE(0);
    const isAt = (at: number): boolean => heads[at] === head && window[at]?.equals(id) === true;
    for (let away = 0; away <= REACH; away += 1) {
      if (isAt(place + away)) return place + away;
      if (isAt(place - away)) return place - away;
    }
    return -1;
  };
  return {
    async fill() {
      underWay += 1;
      while (!isOver && window.length - place <= REACH + underWay) await readOn();
      if (place <= 4 * REACH) return;
      window = window.slice(place - REACH);
      heads = heads.slice(place - REACH);
      place = REACH;
    },
    near(id) {
      underWay -= 1;
      const at = placeOf(id);
      if (at >= 0) {
        place = at + 1;
        return null;
      }
      const near = window[place] ?? null;
      if (near !== null) place += 1;
      return near;
    },
    async end() {
      isOver = true;
      await old.return?.();
    },
  };
}
