// Takes scratch databases away whose shadows are gone: what is left in them is the server's own, its catalog of views and its profile.
import type { SettleOptions } from '../../contracts.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { isScratchDatabase } from '../../mongo/namespaces.ts';
import { listNames, openTarget } from '../open-target.ts';
import type { RestorePlan } from '../plan.ts';

const OF_THE_SERVER: readonly string[] = ['system.views', 'system.profile'];

/** The databases of a rehearsal's plan; of any other plan none. */
export function scratchDatabasesOf({ swaps, views, timeSeries }: RestorePlan): string[] {
  return [...new Set([...swaps, ...views, ...timeSeries].map(({ db }) => db))].filter(isScratchDatabase);
}

/** Only databases that hold nothing else. @throws RESTORE_SCRATCH_IN_USE, after all others were dropped; TARGET_UNREACHABLE */
export async function dropScratch({ target: { uri }, signal }: Pick<SettleOptions, 'target' | 'signal'>, databases: readonly string[]): Promise<void> {
  if (databases.length === 0) return;
  const target = await openTarget(uri, signal);
  let failure: LeafvaultError | null = null;
  try {
    for (const db of databases) {
      const names = [...(await listNames(target, db)).keys()];
      const others = names.filter((name) => !OF_THE_SERVER.includes(name));
      if (others.length > 0) failure ??= inUse(db, others);
      // A database without collections is none.
      else if (names.length > 0) await target.db(db).command({ dropDatabase: 1, writeConcern: { w: 'majority' } });
    }
  } finally {
    await target.close();
  }
  if (failure !== null) throw failure;
}

function inUse(database: string, collections: readonly string[]): LeafvaultError {
  return new LeafvaultError('RESTORE_SCRATCH_IN_USE', `Dropping the scratch database ${database} was refused: it holds ${collections.slice(0, 5).join(', ')}, which the rehearsal did not make`, {
    details: { database, collections: collections.slice(0, 50) }, hint: 'Look at it, then drop the database by hand; the drill is ended after that',
  });
}
