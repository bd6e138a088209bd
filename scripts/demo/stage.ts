// What the demo stands on: a throw-away replica set with authorization, and Leafvault beside it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { freePort, startReplicaSet, type ReplicaSet } from '../../test/support/mongod.ts';
import { readRoles, startLeafvault, type LeafvaultProcess } from './leafvault-process.ts';

export const PROJECT = { name: 'shop', id: '5f0000000000000000000003' };
export const CLUSTER = { name: 'orders', id: '5f0000000000000000000004' };
export const KEY = { publicKey: 'demodemo', privateKey: '00000000-0000-4000-8000-000000000000' };
export const USER = { name: 'admin', password: 'change-me-now' };

export interface Stage {
  readonly mongo: ReplicaSet;
  readonly client: MongoClient;
  readonly leafvault: LeafvaultProcess;
  readonly folder: string;
  close(): Promise<void>;
  /** Leaves everything running. */
  leave(): Promise<void>;
}

/** Starts the replica set only; Leafvault follows with `openLeafvault`. */
export async function openMongo(): Promise<{ readonly mongo: ReplicaSet; readonly client: MongoClient }> {
  // Snapshot reads need history for as long as a slow machine takes.
  const mongo = await startReplicaSet({ auth: true, name: 'shop', cacheGB: 0.5, oplogSizeMB: 512 });
  const client = new MongoClient(mongo.adminUri, { ignoreUndefined: true });
  await client.connect();
  return { mongo, client };
}

/** Makes the two roles and the one user that Leafvault needs, and starts Leafvault with the cluster registered. */
export async function openLeafvault(mongo: ReplicaSet, client: MongoClient): Promise<Stage> {
  const roles = await readRoles();
  for (const role of roles) await mongo.createRole(role);
  const uri = await mongo.createUser({ user: 'leafvault', password: 'a password: with/odd@letters', roles: roles.map((role) => String(role.createRole)) });
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-demo-'));
  const port = await freePort();
  const leafvault = await startLeafvault({ folder, port, settings: settingsOf(port, uri) });
  return {
    mongo, client, leafvault, folder,
    async close() {
      await leafvault.stop();
      await client.close();
      await mongo.stop();
      await rm(folder, { recursive: true, force: true });
    },
    async leave() {
      await client.close();
      leafvault.release();
    },
  };
}

function settingsOf(port: number, uri: string): unknown {
  const owner = { roles: ['ORG_OWNER'] };
  return {
    home: './home',
    listen: { host: '127.0.0.1', port },
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
