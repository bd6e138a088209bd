// What a prune does with what it found: which packs go, and what is written anew first.
import { PACK_TARGET_BYTES } from '../format/pack.ts';
import type { OpenSession } from '../repository.ts';
import { choosePacks, type PackChoice, type WeighedPack } from './choose-packs.ts';
import type { Prune } from './prune-run.ts';
import type { Survey } from './survey.ts';

export interface Plan {
  readonly choice: PackChoice;
  /** Ids of all packs that are to be condemned now. */
  readonly victims: readonly string[];
  /** The same and those condemned before. */
  readonly doomed: ReadonlySet<string>;
  readonly deadBytes: number;
  readonly rewriteBytes: number;
  readonly freeableBytes: number;
}

export function choose({ index, parts }: Prune, { packs, condemned, again, weights, writers, needed, sweepable }: Survey): Plan {
  const named = new Set<string>();
  const [weighed, saved]: [WeighedPack[], WeighedPack[]] = [[], []];
  let deadBytes = 0;
  for (let number = 0; number < index.packs.count; number += 1) {
    const id = index.packs.idOf(number);
    const sizeBytes = packs.get(id);
    // The same pack may stand in two indexes, one of which was to replace the other: its first number has the weight.
    if (named.has(id) || sizeBytes === undefined) continue;
    named.add(id);
    const [storedBytes, liveBytes] = [weights.storedBytes[number] ?? 0, weights.liveBytes[number] ?? 0];
    deadBytes += storedBytes - liveBytes;
    if (needed.has(id)) saved.push({ id, sizeBytes, storedBytes, liveBytes });
    else if (!condemned.has(id) && !mayBeNamedYet(id, writers)) weighed.push({ id, sizeBytes, storedBytes, liveBytes });
  }
  const chosen = choosePacks(weighed, parts.packBytes ?? PACK_TARGET_BYTES);
  const choice = { ...chosen, rewrite: [...chosen.rewrite, ...saved] };
  const leavings = [...packs.keys()].filter((id) => !named.has(id) && !condemned.has(id) && !mayBeNamedYet(id, writers));
  const victims = [...choice.dead.map(({ id }) => id), ...choice.rewrite.map(({ id }) => id), ...leavings, ...again];
  const rewriteBytes = choice.rewrite.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const goes = new Set([...victims, ...sweepable]);
  let freeableBytes = -rewriteBytes;
  for (const id of goes) freeableBytes += packs.get(id) ?? 0;
  return { choice, victims, doomed: new Set([...victims, ...condemned.keys()]), deadBytes, rewriteBytes, freeableBytes };
}

/** Of a writer at work, which may rest its root on it: left for the next time. Only thrift; a pack that is condemned too early stays when a root needs it. */
export function mayBeNamedYet(packId: string, writers: readonly OpenSession[]): boolean {
  const madeAt = Number.parseInt(packId.slice(0, 8), 16);
  return writers.some(({ createdAt }) => madeAt >= Math.floor(Date.parse(createdAt) / 1000));
}
