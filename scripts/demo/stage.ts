// What the demo stands on: a throw-away replica set with authorization, and Leafvault beside it.
import { MongoClient } from 'mongodb';
import { leafvaultFolder, startLeafvault, type LeafvaultProcess } from '../../test/support/leafvault.ts';
import { freePort, startReplicaSet, type ReplicaSet } from '../../test/support/mongod.ts';
import { readRoles } from './read-roles.ts';

export const PROJECT = { name: 'shop', id: '5f0000000000000000000003' };
export const CLUSTER = { name: 'orders', id: '5f0000000000000000000004' };
export const KEY = { publicKey: 'demodemo', privateKey: '00000000-0000-4000-8000-000000000000' };
export const USER = { name: 'admin', password: 'change-me-now' };

export interface Stage {
  readonly mongo: ReplicaSet;
  readonly leafvault: LeafvaultProcess;
  readonly folder: string;
  /** Stops Leafvault and removes what it had. @throws Error when it does not end well */
  close(): Promise<void>;
}

/** Starts the replica set only; Leafvault follows with `openLeafvault`. */
export async function openMongo(): Promise<{ readonly mongo: ReplicaSet; readonly client: MongoClient }> {
  const mongo = await startReplicaSet({ auth: true, name: 'shop', cacheGB: 0.5, oplogSizeMB: 512 });
  const client = new MongoClient(mongo.adminUri, { ignoreUndefined: true });
  await client.connect();
  return { mongo, client };
}

/** Makes the two roles and the one user that Leafvault needs, and starts Leafvault with the cluster registered. */
export async function openLeafvault(mongo: ReplicaSet): Promise<Stage> {
  const roles = await readRoles();
  for (const role of roles) await mongo.createRole(role);
  const uri = await mongo.createUser({ user: 'leafvault', password: 'a password: with/odd@letters', roles: roles.map((role) => String(role.createRole)) });
  const folder = await leafvaultFolder('leafvault-demo-');
  try {
    const leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsOf(uri) });
    return {
      mongo, leafvault, folder: folder.path,
      async close() {
        const code = await leafvault.stop();
        if (code !== 0) throw new Error(`Leafvault ended with ${code} on SIGTERM; its log: ${(await leafvault.log()).slice(-2_000)}`);
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function settingsOf(uri: string): unknown {
  const owner = { roles: ['ORG_OWNER'] };
  return {
    home: './home',
    // Without it a restore over a time series that is still there is refused: one can't be swapped.
    restore: { timeSeries: 'replace' },
    organizations: [
      {
        name: 'Demo',
        apiKeys: [{ ...KEY, ...owner, accessList: ['127.0.0.1/32'] }],
        users: [{ ...USER, ...owner }],
        projects: [{ ...PROJECT, clusters: [{ ...CLUSTER, uri }] }],
      },
    ],
  };
}
