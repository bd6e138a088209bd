// Things that happen to servers while they are read.
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Document } from 'mongodb';
import type { ReplicaSet } from '../../support/mongod.ts';
import type { ScanWatcher, Tally } from './scan-watcher.ts';

export type Disturbance = 'a stepdown' | 'a killed cursor';

/** Ready to disturb, with its connections open: what has to happen during a scan can't wait for them. */
export interface Disturber {
  /** Waits until collections are being scanned, then disturbs once; counts it if scans were running then. */
  disturb(watcher: ScanWatcher, tally: Tally): Promise<void>;
  close(): Promise<void>;
}

export async function prepareDisturbance(servers: ReplicaSet, kind: Disturbance): Promise<Disturber> {
  const clients = kind === 'a stepdown' ? [] : await Promise.all([...servers.members.keys()].map((index) => MongoClient.connect(servers.memberUri(index))));
  return {
    async disturb(watcher, tally) {
      while (!watcher.scanning) await delay(5);
      if (kind === 'a stepdown') await servers.stepDown();
      else if ((await killCursors(clients, () => watcher.scanning)) === 0) return;
      tally.count(kind);
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** Kills the idle cursors of the capture, trying as long as `goOn` says; returns how many. */
async function killCursors(clients: readonly MongoClient[], goOn: () => boolean): Promise<number> {
  for (let killed = 0; ; ) {
    for (const client of clients) killed += await killIdleCursors(client);
    if (killed > 0 || !goOn()) return killed;
  }
}

async function killIdleCursors(client: MongoClient): Promise<number> {
  const idle = await client.db('admin').aggregate([{ $currentOp: { allUsers: true, idleCursors: true } }, { $match: { type: 'idleCursor', 'effectiveUsers.user': 'backup' } }]).toArray();
  let killed = 0;
  for (const { ns, cursor } of idle as { ns: string; cursor: Document }[]) {
    const [db = '', ...rest] = ns.split('.');
    const { cursorsKilled } = await client.db(db).command({ killCursors: rest.join('.'), cursors: [cursor.cursorId] });
    if (db !== 'local') killed += (cursorsKilled as unknown[]).length;
  }
  return killed;
}
