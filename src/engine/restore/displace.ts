// One rename at a time, in both directions, each looked up by UUID before and after. Where a step stands follows from
// UUIDs alone (docs/design/restore-protocol.md, "Where a rename can stand").
import { MongoServerError, UUID } from 'mongodb';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { isTransient } from '../mongo/raw-insert.ts';
import { listNames, nameOf, type Target } from './open-target.ts';
import { gapNames, type Displaced, type Intruder, type SwapStep } from './plan.ts';

const TRIES = 5;

/** Told before an intruder is displaced; resolves when that is written down. */
export type NoteIntruder = (intruder: Intruder) => Promise<void>;

/** Moves the live collection to its old name. @throws RESTORE_SWAP_FAILED */
export async function moveAside(target: Target, step: Displaced): Promise<void> {
  if (step.liveUuid === null) return;
  await ensureAt(target, { db: step.db, uuid: step.liveUuid, from: step.name, to: step.old, gaps: [] });
}

/** Gives a shadow its live name. @param note null: nothing may stand in the way @throws RESTORE_SWAP_FAILED */
export async function putLive(target: Target, step: SwapStep, note: NoteIntruder | null): Promise<void> {
  const move = { db: step.db, uuid: step.shadowUuid ?? '', from: step.shadow, to: step.name };
  await ensureAt(target, note === null ? { ...move, gaps: [] } : { ...move, gaps: gapNames(step), note });
}

/** Puts a step back to where it was before the swap. @throws RESTORE_SWAP_FAILED */
export async function putBack(target: Target, step: Displaced & Partial<Pick<SwapStep, 'shadow' | 'shadowUuid'>>, note: NoteIntruder): Promise<void> {
  if (step.shadow !== undefined && step.shadowUuid != null) {
    const places = await uuidsOf(target, step.db, [step.name]);
    if (places.get(step.name) === step.shadowUuid) {
      await ensureAt(target, { db: step.db, uuid: step.shadowUuid, from: step.name, to: step.shadow, gaps: [] });
    }
  }
  if (step.liveUuid === null) {
    await giveBack(target, step);
    return;
  }
  const places = await uuidsOf(target, step.db, [step.old]);
  if (places.get(step.old) !== step.liveUuid) return;
  await ensureAt(target, { db: step.db, uuid: step.liveUuid, from: step.old, to: step.name, gaps: gapNames(step), note });
}

/** The name was free before the swap: what an application made there meanwhile goes back to it, if nothing newer is there. */
async function giveBack(target: Target, step: Displaced): Promise<void> {
  const places = await uuidsOf(target, step.db, [step.name, step.gap]);
  const uuid = places.get(step.gap);
  if (uuid === undefined || places.has(step.name)) return;
  await ensureAt(target, { db: step.db, uuid, from: step.gap, to: step.name, gaps: [] });
}

/** UUID of each of these names that is a collection. */
export async function uuidsOf(target: Target, db: string, names: readonly string[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const listed = await listNames(target, db, names);
  return new Map([...listed.values()].filter(({ uuid }) => uuid !== null).map(({ name, uuid }) => [name, uuid as string]));
}

interface Move {
  readonly db: string;
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
  /** Where collections that stand in the way may go; empty: nothing may stand in the way. */
  readonly gaps: readonly string[];
  readonly note?: NoteIntruder;
}

/** Brings the collection with this UUID from one name to another; done already is fine. */
async function ensureAt(target: Target, move: Move): Promise<void> {
  let cause: unknown;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const at = await uuidsOf(target, move.db, [move.from, move.to]);
    if (at.get(move.to) === move.uuid) return;
    if (at.get(move.from) !== move.uuid) throw swapFailed(move, `${move.db}.${move.from} is no longer the collection that it was`, cause);
    const intruder = at.get(move.to);
    try {
      if (intruder !== undefined) await replaceIntruder(target, move, intruder);
      else await rename(target, move.db, move.from, move.to);
    } catch (error) {
      if (isLeafvaultError(error)) throw error;
      cause = error;
      // NamespaceExists: an insert made the collection again between the two commands. The loop looks anew.
      if (!isTransient(error) && !(error instanceof MongoServerError && error.code === 48)) throw swapFailed(move, 'the server refused it', error);
    }
  }
  const at = await uuidsOf(target, move.db, [move.to]);
  if (at.get(move.to) !== move.uuid) throw swapFailed(move, `it did not succeed in ${TRIES} tries`, cause);
}

/**
 * Renames over an intruder and brings it to the first gap name that is free. With plain renames a busy application wins
 * the race between moving it away and taking the name, every time. `applyOps` of one rename onto a name that is
 * taken gives the collection there another name (`tmp<5>.rename`) under the same lock, so no insert comes in between.
 * Its answer says nothing (it reports success for a rename that did nothing): the caller's loop looks by UUID.
 */
async function replaceIntruder(target: Target, move: Move, uuid: string): Promise<void> {
  const taken = await uuidsOf(target, move.db, move.gaps);
  const gap = move.gaps.find((name) => !taken.has(name));
  if (gap === undefined || move.note === undefined) throw swapFailed(move, `${move.db}.${move.to} is in the way`, undefined);
  await move.note({ db: move.db, uuid, gap });
  await target.admin({
    applyOps: [{ op: 'c', ns: `${move.db}.$cmd`, ui: new UUID(move.uuid), o: { renameCollection: `${move.db}.${move.from}`, to: `${move.db}.${move.to}`, stayTemp: false, dropTarget: false } }],
    writeConcern: { w: 'majority' },
  });
  await settleIntruder(target, { db: move.db, uuid, gap });
}

/** Gives a displaced intruder its gap name. Safe to call again; one that is still under a live name is left there. */
export async function settleIntruder(target: Target, { db, uuid, gap }: Intruder): Promise<void> {
  const name = await nameOf(target, db, uuid);
  if (name !== null && DISPLACED_NAME.test(name)) await rename(target, db, name, gap);
}

/** What a server calls a collection that it moves aside for a rename. */
const DISPLACED_NAME = /^tmp[A-Za-z0-9]{5}\.rename$/;

async function rename(target: Target, db: string, from: string, to: string): Promise<void> {
  await target.admin({ renameCollection: `${db}.${from}`, to: `${db}.${to}`, dropTarget: false, writeConcern: { w: 'majority' } });
}

function swapFailed(move: Move, reason: string, cause: unknown): LeafvaultError {
  return new LeafvaultError('RESTORE_SWAP_FAILED', `Renaming ${move.db}.${move.from} to ${move.to} failed: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'The live collections were put back as they were; end index builds and other renames on the target, then restore again',
  });
}
