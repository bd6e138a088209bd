// What the store tells without a catalog: roots, and the newest facts about them.
import type { SnapshotBody } from '../../engine/contracts.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import { isDamage, isLaterFact } from '../../repository/index.ts';
import { KEEP_KINDS, type Keep, type KeepKind } from '../../domain/keeps.ts';
import type { Fact, Repository, SnapshotRoot } from '../../repository/repository.ts';
import { ABOUT, aboutOf, type About } from '../about-snapshot.ts';

/** What a rescue needs of a root; the rest stays in the store. */
export type RootSummary = Pick<SnapshotRoot, 'id' | 'series' | 'createdAt'> & { readonly body: SnapshotBody; readonly storedBytes: number };

export interface StoreSurvey {
  /** Of snapshots that nobody deleted. Some 500 bytes each. */
  readonly roots: ReadonlyMap<string, RootSummary>;
  /** Objects that can't be read, with the reason. */
  readonly unreadable: readonly string[];
  /** Whether there are facts among them: whatever they said. */
  readonly unreadableFacts: boolean;
  /** Ids of roots among them. */
  readonly unreadableRoots: ReadonlySet<string>;
  readonly expiries: ReadonlyMap<string, { readonly decidedAt: Date; readonly expiresAt: Date }>;
  /** Deleted ones: when it was decided. */
  readonly deleted: ReadonlyMap<string, Date>;
  readonly abouts: ReadonlyMap<string, About>;
  /** By kind and id of the snapshot: the latest decision. null: nothing keeps it any more. */
  readonly keeps: Readonly<Record<KeepKind, ReadonlyMap<string, { readonly decidedAt: Date; readonly keep: Keep | null }>>>;
}

export async function surveyStore(repository: Pick<Repository, 'listSnapshots' | 'listFacts'>): Promise<StoreSurvey> {
  const unreadable: string[] = [];
  const unreadableRoots = new Set<string>();
  const roots = new Map<string, RootSummary>();
  const onUnreadable = (object: string, error: unknown): void => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    // A fact is told of with the facts.
    if (object.startsWith('facts/')) return;
    unreadable.push(error.message);
    unreadableRoots.add(/[0-9a-f]{24}/.exec(object)?.[0] ?? object);
  };
  for await (const { id, series, createdAt, body, stats } of repository.listSnapshots({ onUnreadable })) {
    roots.set(id, { id, series, createdAt, body: body as unknown as SnapshotBody, storedBytes: stats.storedBytes });
  }
  const newest = new Map<string, Fact>();
  let unreadableFacts = false;
  try {
    for await (const fact of repository.listFacts()) {
      const key = `${fact.kind} ${fact.snapshotId}`;
      if (isLaterFact(fact, newest.get(key))) newest.set(key, fact);
    }
  } catch (error) {
    // Thrown behind all that could be read.
    if (!isLeafvaultError(error) || !isDamage(error)) throw error;
    unreadable.push(error.message);
    unreadableFacts = true;
  }
  return { roots, unreadable, unreadableFacts, unreadableRoots, ...sorted(newest.values()) };
}

/** Whether a pin or a hold keeps it, for ever. */
export function isKeptIn({ keeps }: Pick<StoreSurvey, 'keeps'>, id: string): boolean {
  return KEEP_KINDS.some((kind) => keeps[kind].get(id)?.keep != null);
}

function sorted(facts: Iterable<Fact>): Pick<StoreSurvey, 'expiries' | 'deleted' | 'abouts' | 'keeps'> {
  const expiries = new Map<string, { readonly decidedAt: Date; readonly expiresAt: Date }>();
  const deleted = new Map<string, Date>();
  const abouts = new Map<string, About>();
  const keeps = { pin: new Map<string, { decidedAt: Date; keep: Keep | null }>(), hold: new Map<string, { decidedAt: Date; keep: Keep | null }>() };
  for (const fact of facts) {
    const { snapshotId, kind, body } = fact;
    const decidedAt = new Date(fact.createdAt);
    const expiresAt = new Date(String(body['expiresAt']));
    const about = kind === ABOUT ? aboutOf(fact) : null;
    if (kind === 'pin' || kind === 'hold') keeps[kind].set(snapshotId, { decidedAt, keep: keepOf(fact) });
    else if (kind === 'deleted') deleted.set(snapshotId, decidedAt);
    else if (kind === 'expiry' && !Number.isNaN(expiresAt.getTime())) expiries.set(snapshotId, { decidedAt, expiresAt });
    else if (about !== null) abouts.set(snapshotId, about);
  }
  return { expiries, deleted, abouts, keeps };
}

function keepOf({ body: { kept, by, reason }, createdAt }: Fact): Keep | null {
  return kept === false ? null : { by: typeof by === 'string' ? by : 'unknown', reason: typeof reason === 'string' ? reason : null, at: createdAt };
}
