// A capped collection may hold more than its limits say: one that a `collMod` lowered (MongoDB 6.0) counts with the next insert only, and an
// instant may lie between an insert and the deletes that it brings. Its shadow gets room, and the limits when all is loaded and replayed:
// from then on nothing is inserted until it is live, so that it keeps what it holds as the source did.
import { Long } from 'mongodb';
import { limitsIn, type CappedLimits } from '../backup/collections/catalog.ts';
import type { CollectionBody } from '../contracts.ts';
import { encodeOrdered, type CollectionEntry, type OrderedDocument } from '../snapshot/index.ts';
import { createOptions } from './collection-options.ts';
import type { Load, RestoreContext } from './context.ts';
import type { Instant } from './instant/open-instant.ts';
import { listNames } from './open-target.ts';

/** Where `collMod` takes limits. */
export const LIMITS_CHANGE_SINCE = '6.0';

/** The most that a server takes. */
const ROOM = { size: Long.fromNumber(2 ** 50), max: 2 ** 31 - 1 };

export function limitsOf(body: CollectionBody): CappedLimits {
  return limitsIn(Buffer.from(body.options, 'base64'));
}

/** True where a shadow with the limits of the source would cut what the source held. @param instant null: the snapshot as it is */
export function needsRoom({ body }: CollectionEntry, instant: Instant | null): boolean {
  if (!body.capped) return false;
  const { size, max } = limitsOf(body);
  return body.documents > (max ?? Infinity) || body.bytes > (size ?? Infinity) || (body.uuid !== null && instant?.window.lowered.has(body.uuid) === true);
}

/** As a shadow is made. */
export function shadowOptions({ instant }: RestoreContext, { entry }: Load): OrderedDocument {
  const options = createOptions(entry.body);
  if (!needsRoom(entry, instant)) return options;
  const limits = limitsOf(entry.body);
  return new Map([...options].map(([name, value]) => [name, (name === 'size' || name === 'max') && limits[name] !== null ? ROOM[name] : value]));
}

/** Gives shadows with room the limits of the source. May be called again. */
export async function setLimits({ target, instant, loads, options }: RestoreContext): Promise<void> {
  for (const { entry, step } of loads.filter((load) => needsRoom(load.entry, instant))) {
    options.signal.throwIfAborted();
    const { size, max } = limitsOf(entry.body);
    const limits = { ...(size === null ? {} : { cappedSize: Long.fromNumber(size) }), ...(max === null ? {} : { cappedMax: Long.fromNumber(max) }) };
    await target.db(step.db).command({ collMod: step.shadow, ...limits, writeConcern: { w: 'majority' } });
  }
}

/** The limit of a shadow that had room which is not the source's; null: all are. */
export async function differingLimit({ target, instant }: RestoreContext, { entry, step }: Load): Promise<string | null> {
  if (!needsRoom(entry, instant)) return null;
  const listed = (await listNames(target, step.db, [step.shadow])).get(step.shadow);
  const [wanted, there] = [limitsOf(entry.body), limitsIn(encodeOrdered(listed?.options ?? new Map()))];
  return (['size', 'max'] as const).find((name) => wanted[name] !== there[name]) ?? null;
}
