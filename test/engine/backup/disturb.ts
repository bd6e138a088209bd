// Things that happen to servers while they are read.
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import { compareClusterTimes } from '../../../src/domain/cluster-time.ts';
import { readServerFacts } from '../../../src/engine/mongo/index.ts';
import type { ReplicaSet } from '../../support/mongod.ts';
import type { ScanWatcher, Tally } from './scan-watcher.ts';

export type Disturbance = 'a stepdown' | 'a killed cursor';

/** Connections to every member, open before they are needed: what has to happen during a scan can't wait for them. */
export interface Members {
  /** Waits until collections are being scanned, then disturbs once; counts it if scans were running then. */
  disturb(kind: Disturbance, watcher: ScanWatcher, tally: Tally): Promise<void>;
  /** Waits until every member knows that everything written up to now is held by a majority. */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

export async function connectMembers(servers: ReplicaSet, client: MongoClient): Promise<Members> {
  const members = await Promise.all([...servers.members.keys()].map((index) => MongoClient.connect(servers.memberUri(index))));
  return {
    async disturb(kind, watcher, tally) {
      while (!watcher.scanning) await delay(5);
      if (kind === 'a stepdown') await servers.stepDown();
      else await killCursors(members, watcher);
      tally.count(kind);
    },
    async catchUp() {
      const { operationTime } = await client.db('barrier').command({ insert: 'b', documents: [{}], writeConcern: { w: 'majority' } });
      const time: ClusterTime = { t: operationTime.t, i: operationTime.i };
      for (const member of members) {
        for (;;) {
          const { majorityTime } = await readServerFacts(member);
          if (majorityTime !== null && compareClusterTimes(majorityTime, time) >= 0) break;
          await delay(10);
        }
      }
    },
    async close() {
      await Promise.all(members.map((member) => member.close()));
    },
  };
}

/** Ends all cursors of the capture's account, until one of a scan was met. */
async function killCursors(members: readonly MongoClient[], watcher: ScanWatcher): Promise<void> {
  const isInterrupted = (): boolean => watcher.lines.some(({ msg, reason }) => msg === 'a scan was interrupted' && /cursor/.test(String(reason)));
  while (watcher.scanning && !isInterrupted()) {
    for (const member of members) await member.db('admin').command({ killAllSessions: [{ user: 'backup', db: 'admin' }] });
    await delay(50);
  }
}
