// The set that random writers write to while it is captured: three members, authorization on, an account for the capture and one that somebody else has.
import { MongoClient } from 'mongodb';
import { BACKUP_ROLE } from '../../../src/engine/mongo/index.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { connectMembers, type Members } from './disturb.ts';

export interface WrittenSet {
  readonly servers: ReplicaSet;
  readonly client: MongoClient;
  readonly members: Members;
  /** Of the capture. */
  readonly uri: string;
  close(): Promise<void>;
}

export async function startWrittenSet(): Promise<WrittenSet> {
  const stack = new AsyncDisposableStack();
  try {
    const servers = await startReplicaSet({ members: 3, auth: true, oplogSizeMB: 256, parameters: { minSnapshotHistoryWindowInSeconds: 600, transactionLifetimeLimitSeconds: 20 } });
    stack.defer(() => servers.stop());
    await servers.createRole(BACKUP_ROLE);
    const uri = await servers.createUser({ user: 'backup', password: 'p@ss:w/rd', roles: ['leafvaultBackup'] });
    await servers.createUser({ user: 'somebody', password: 'x', roles: ['read'] });
    const client = await MongoClient.connect(servers.adminUri, { writeConcern: { w: 'majority' }, heartbeatFrequencyMS: 500 });
    stack.defer(() => client.close(true));
    const members = await connectMembers(servers, client);
    stack.defer(() => members.close());
    return { servers, client, members, uri, close: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
