// Restores to an instant as a user asks for them: the service finds the base, a worker that runs does the job. What the
// target then holds is compared with what the source says of that instant.
import { MongoClient } from 'mongodb';
import type { Instant } from '../../src/domain/instant.ts';
import type { ClusterTime } from '../../src/domain/cluster-time.ts';
import type { Job } from '../../src/domain/records.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import type { Services } from '../../src/services/contracts.ts';
import { contentsReader } from '../../src/composition/contents-reader.ts';
import { createServices } from '../../src/services/index.ts';
import { compareOracles, readOracle, type OracleCollection } from '../engine/backup/oracle.ts';
import { openOplogSource } from '../engine/replay/oplog-source.ts';
import type { Inventory } from './catalog-rows.ts';
import { ended } from './job-rows.ts';
import { ownerOf } from './services-world.ts';
import type { TailerWorld } from './tailer-world.ts';

export type Oracle = ReadonlyMap<string, OracleCollection>;

/** Services with the real clock, as a door sees them. */
export function servicesOf({ catalog, queue, repository }: Pick<TailerWorld, 'catalog' | 'queue' | 'repository'>): Services {
  const unasked = (): never => { throw new Error('nobody asks for it here'); };
  return createServices({
    catalog, queue, clock: systemClock, secret: Buffer.alloc(32, 9), restoreDefaults: { timeSeries: 'replace', keepHours: 0 }, baseUrl: () => 'http://127.0.0.1/',
    readContents: contentsReader({ repository }), openArchive: unasked, timelineReader: { read: unasked, find: unasked },
  });
}

/** Asks for the restore of a whole cluster into another one. */
export async function askForInstant(services: Services, { cluster }: Inventory, target: Inventory, instant: Instant): Promise<{ readonly jobId: string; readonly id: string }> {
  return services.restores.create({
    cluster, instant, delivery: 'automated', principal: ownerOf(target), target: { projectId: target.project.id, cluster: { id: target.cluster.id } },
  });
}

/** Resolves with the job when it is over; somebody has to work. */
export async function restoreToInstant(world: TailerWorld, source: Inventory, target: Inventory, instant: Instant): Promise<Job> {
  const { jobId } = await askForInstant(servicesOf(world), source, target, instant);
  return ended(world.catalog, jobId);
}

/** What a member holds now. */
export async function heldNow(uri: string, databases: readonly string[]): Promise<{ readonly time: ClusterTime; readonly held: Oracle }> {
  const client = new MongoClient(uri);
  try {
    const time = await (await openOplogSource(client)).now();
    return { time, held: await readOracle(client, databases, time) };
  } finally {
    await client.close();
  }
}

/** Differences between the target and what the source held; empty when equal, byte by byte. @param capped false: capped collections are left out */
export async function differences(
  targetUri: string, wanted: Oracle,
  { capped = true, databases = [...new Set([...wanted.keys()].map((name) => name.slice(0, name.indexOf('.'))))] }: { readonly capped?: boolean; readonly databases?: readonly string[] } = {},
): Promise<string[]> {
  const { held } = await heldNow(targetUri, databases);
  return compareOracles(new Map([...held].filter(([, each]) => capped || !each.capped)), wanted);
}
