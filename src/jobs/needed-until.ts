// Until when snapshots are needed, as the repository itself says: by their facts, and without end the newest of a series and what a pin or a hold keeps.
import type { Clock } from '../foundation/clock.ts';
import type { NeededUntil, Repository } from '../repository/repository.ts';
import { isKeptIn, surveyStore } from './rescue/survey-store.ts';

/** For `LockOptions.neededUntil`. @throws what the store throws */
export async function readNeededUntil(repository: Pick<Repository, 'listFacts' | 'listSnapshots'>, clock: Pick<Clock, 'now'>): Promise<NeededUntil> {
  const survey = await surveyStore(repository);
  const { roots, expiries } = survey;
  const newest = new Map<string, { readonly id: string; readonly createdAt: string }>();
  for (const root of roots.values()) if (root.createdAt > (newest.get(root.series)?.createdAt ?? '')) newest.set(root.series, root);
  const now = clock.now();
  return ({ id, series }) => {
    // What can't be read may be a hold.
    if (survey.unreadableFacts || isKeptIn(survey, id)) return null;
    const until = expiries.get(id)?.expiresAt ?? null;
    // One that is over and still there is what retention leaves to a cluster that has no newer one.
    return until === null || newest.get(series)?.id === id || until.getTime() <= now.getTime() ? null : until;
  };
}
