// The snapshot: asked for through Atlas v2 while the writers run.
import { setTimeout as delay } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { keepSelling, type Journal } from './busy-shop.ts';
import { ATLAS_V2, type Doors } from './doors.ts';
import type { ClusterPrint } from './fingerprint.ts';
import type { Story } from './story.ts';
import { newestFailure, watchJob } from './watch-job.ts';

/** The snapshot, and what it can be held against. */
export interface Taken {
  readonly snapshotId: string;
  readonly before: ClusterPrint;
  readonly journals: readonly Journal[];
}

const WARM_UP_SALES = 30;

export async function backUpWhileSelling(options: {
  readonly story: Story; readonly doors: Doors; readonly client: MongoClient; readonly before: ClusterPrint;
}): Promise<Taken> {
  const { story, doors, client, before } = options;
  const shop = keepSelling(client);
  try {
    while (shop.count() < WARM_UP_SALES) await delay(10);
    const soldBefore = shop.count();
    const { body } = await doors.digest.call('POST', `${doors.atlasV2}/snapshots`, {
      headers: ATLAS_V2, body: { description: 'before the accident', retentionInDays: 7 },
      meaning: (answer) => `snapshot ${String(answer.body.id)} is ${String(answer.body.status)}; it will be kept for 7 days`,
    });
    const snapshotId = String(body.id);
    await watchJob({ story, label: 'taking the snapshot', commvault: doors.commvault, isOver: () => isTaken(doors, snapshotId) });
    const soldMeanwhile = shop.count() - soldBefore;
    await doors.digest.call('GET', `${doors.atlasV2}/snapshots/${snapshotId}`, {
      headers: ATLAS_V2, meaning: (answer) => `${String(answer.body.status)}: it stands for ${String(answer.body.createdAt)}, ${megabytes(answer.body.storageSizeBytes)} stored, encrypted`,
    });
    if (soldMeanwhile === 0) throw new Error('The shop sold nothing while the snapshot ran: it proves nothing');
    story.say(`the shop made ${soldMeanwhile.toLocaleString('en')} transactions meanwhile: orders, swaps of unique values, deletes, replacements`);
    await shop.stop();
    return { snapshotId, before, journals: shop.journals };
  } finally {
    await shop.stop().catch(() => undefined);
  }
}

async function isTaken(doors: Doors, snapshotId: string): Promise<boolean> {
  const { body } = await doors.digest.call('GET', `${doors.atlasV2}/snapshots/${snapshotId}`, { headers: ATLAS_V2 });
  if (body.status === 'failed' || body.status === 'cancelled') throw new Error(`The snapshot ${snapshotId} ended as ${body.status}: ${await newestFailure(doors.commvault)}`);
  return body.status === 'completed';
}

export function megabytes(bytes: unknown): string {
  return `${(Number(bytes) / 1e6).toFixed(1)} MB`;
}
