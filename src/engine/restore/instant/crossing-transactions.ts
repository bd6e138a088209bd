// Transactions that changed chosen and other collections: only the chosen part of them is brought to the instant.
import { showClusterTime } from '../../../domain/cluster-time.ts';
import { joinNamespace, showNamespace, timeSeriesOf } from '../../mongo/index.ts';
import type { ReplayWindow } from '../../replay/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';

const NAMED = 10;

/**
 * @param all entries at the border; what is not among them (users that are not restored, what was dropped) crosses nothing
 * @param chosen those of them that are restored
 */
export function warnOfCrossings({ together, collections }: ReplayWindow, all: readonly CollectionEntry[], chosen: readonly CollectionEntry[]): string[] {
  const chosenUuids = new Set(chosen.map(({ body }) => body.uuid));
  const others = new Set(all.map(({ body }) => body.uuid).filter((uuid) => !chosenUuids.has(uuid)));
  const names = new Map(collections.map(({ uuid, db, name }) => [uuid, joinNamespace(db, timeSeriesOf(name) ?? name)]));
  return together.filter(({ uuids }) => [...uuids].some((uuid) => chosenUuids.has(uuid)) && [...uuids].some((uuid) => others.has(uuid)))
    .slice(0, NAMED)
    .map(({ uuids, transactions, first }) => {
      const [inside, outside] = [chosenUuids, others].map((set) => [...uuids].filter((uuid) => set.has(uuid)).map((uuid) => showNamespace(names.get(uuid) ?? uuid)).join(', '));
      const which = transactions === 1 ? `a transaction of ${showClusterTime(first)}` : `${transactions} transactions, the first of ${showClusterTime(first)},`;
      return `${which} changed ${inside}, which is restored, and ${outside}, which is not: only the chosen part is brought to the instant`;
    });
}
