// Lets the newest instants be put away: a slice is a minute old otherwise before anybody can use it.
import type { CatalogAggregates } from '../catalog/index.ts';
import { sleep } from '../foundation/abort.ts';

const LOOK_MS = 250;
/** An idle cluster writes an entry every ten seconds. */
const PATIENCE_MS = 12_000;

/**
 * Asks whoever follows the cluster for what it has gathered, until what is waited for is there. Nothing is waited for where nobody follows it.
 * @param isThere looks again
 * @returns whether it came
 */
export async function catchUp(catalog: Pick<CatalogAggregates, 'tailers'>, clusterId: string, isThere: () => Promise<boolean>, patienceMs: number = PATIENCE_MS): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += LOOK_MS) {
    if (await isThere()) return true;
    const tailer = await catalog.tailers.get(clusterId);
    if (tailer === null || !tailer.held || tailer.chainId === null || tailer.state !== 'running') return false;
    await catalog.tailers.requestCut(clusterId);
    await sleep(LOOK_MS);
  }
  return isThere();
}
