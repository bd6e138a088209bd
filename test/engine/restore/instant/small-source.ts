// A small source with continuous backup and a base, for tests that write by hand. Source and target are one server:
// what is restored goes into the database `copy`.
import { MongoClient, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions } from '../../../../src/engine/contracts.ts';
import type { Repository, SnapshotRoot } from '../../../../src/repository/repository.ts';
import type { Storage } from '../../../../src/storage/index.ts';
import { takeSnapshot } from '../../../support/capture.ts';
import { keepOplog, type KeptOplog } from '../../../support/kept-oplog.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { openOplogSource, type OplogSource } from '../../replay/oplog-source.ts';

export interface SmallSource extends AsyncDisposable {
  readonly server: ReplicaSet;
  readonly client: MongoClient;
  readonly repository: Repository;
  readonly oplog: KeptOplog;
  readonly source: OplogSource;
  readonly root: SnapshotRoot;
  /** A position behind everything that was written, kept in the chain. */
  here(): Promise<ClusterTime>;
  /** Documents of a collection in the order of their ids. */
  documents(db: string, name: string): Promise<Document[]>;
}

export const INTO_COPY: RestoreOptions['selection'] = { databases: ['shop'], collections: [], renames: [{ from: 'shop', to: 'copy' }] };

/** @param prepare writes what the base holds */
export async function startSmallSource(storage: Storage, prepare: (client: MongoClient) => Promise<void>, parameters: Readonly<Record<string, number>> = {}): Promise<SmallSource> {
  const server = await startReplicaSet({ parameters: { minSnapshotHistoryWindowInSeconds: 900, ...parameters } });
  const client = new MongoClient(server.memberUri(0));
  await prepare(client);
  const repository = await openTestRepository(storage);
  const source = await openOplogSource(client);
  const oplog = await keepOplog(server.memberUri(0), repository);
  const { root } = await takeSnapshot({ uri: server.memberUri(0), repository, selection: { databases: ['shop'], collections: [] } });
  return {
    server, client, repository, oplog, source, root,
    async here() {
      const time = await source.now();
      await oplog.reach(time);
      return time;
    },
    documents: (db, name) => client.db(db).collection(name).find().sort({ _id: 1 }).toArray(),
    async [Symbol.asyncDispose]() {
      await oplog.stop();
      await client.close();
      await repository.close();
      await server.stop();
    },
  };
}
