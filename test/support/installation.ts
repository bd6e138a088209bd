// One installation for end-to-end tests: a small shop on a replica set with authorization and the two roles, and
// settings that declare it. Calls go through the real curl.
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { roleCommands } from '../../src/engine/index.ts';
import { PATIENCE_MS } from './patience.ts';
import { runCurl } from './run-curl.ts';
import { startReplicaSet, type ReplicaSet, type ReplicaSetOptions } from './mongod.ts';

export const PROJECT = { name: 'shop', id: '5f0000000000000000000003' };
export const CLUSTER = { name: 'orders', id: '5f0000000000000000000004' };
export const KEY = { publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000' };
export const PASSWORD = 'p@ss:w/rd of the source';

/** Between two questions: each is a curl process and two requests. */
const PAUSE_MS = 150;
const V2 = ['--header', 'Accept: application/vnd.atlas.2023-01-01+json', '--header', 'Content-Type: application/json'];
/** Where the Atlas API has the backups of a cluster. */
export const backupOf = (cluster: string): string => `/api/atlas/v2/groups/${PROJECT.id}/clusters/${cluster}/backup`;
export const BACKUP = backupOf(CLUSTER.name);

export interface Source extends AsyncDisposable {
  readonly mongo: ReplicaSet;
  readonly client: MongoClient;
  /** As the account with the two roles. */
  readonly uri: string;
}

/** A replica set that holds `documents` documents in shop.orders. */
export async function startSource(documents: number, options: ReplicaSetOptions = {}): Promise<Source> {
  const mongo = await startReplicaSet({ auth: true, ...options });
  const client = new MongoClient(mongo.adminUri);
  for (const command of roleCommands()) await mongo.createRole(command);
  const uri = await mongo.createUser({ user: 'leafvault', password: PASSWORD, roles: roleCommands().map((command) => String(command.createRole)) });
  const orders = client.db('shop').collection('orders');
  for (let from = 0; from < documents; from += 1_000) {
    await orders.insertMany(Array.from({ length: Math.min(1_000, documents - from) }, (_, index) => ({ _id: (from + index) as never, text: `order ${from + index} `.repeat(20) })));
  }
  await orders.createIndex({ text: 1 }, { name: 'by text' });
  return {
    mongo, client, uri,
    async [Symbol.asyncDispose]() {
      await client.close();
      await mongo.stop();
    },
  };
}

/** leafvault.yaml with one organization, project, key and cluster; `cluster` adds to what is said of that, `others` are beside it. */
export function settingsFor(
  uri: string, more: Readonly<Record<string, unknown>> = {}, cluster: Readonly<Record<string, unknown>> = {}, others: readonly Readonly<Record<string, unknown>>[] = [],
): Record<string, unknown> {
  return {
    home: './home',
    organizations: [{ name: 'Example', apiKeys: [{ ...KEY, roles: ['ORG_OWNER'], accessList: ['127.0.0.1/32'] }], users: [{ name: 'admin', password: 'change-me-now', roles: ['ORG_OWNER'] }], projects: [{ ...PROJECT, clusters: [{ ...CLUSTER, uri, ...cluster }, ...others] }] }],
    ...more,
  };
}

export interface Reply { readonly status: number; readonly body: Record<string, unknown> }

/** One call with `curl --digest`. Status 0: there was no whole answer; the challenge alone is none. */
export async function call(origin: string, method: string, path: string, body?: unknown, key: { readonly publicKey: string; readonly privateKey: string } = KEY): Promise<Reply> {
  const data = body === undefined ? [] : ['--data', JSON.stringify(body)];
  const answer = await runCurl(['--digest', '--user', `${key.publicKey}:${key.privateKey}`, ...V2, '--request', method, ...data, `${origin}${path}`]);
  if (answer.exitCode !== 0) return { status: 0, body: {} };
  return { status: answer.status, body: answer.body.trim() === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>) };
}

/** Asks again until `done` gives something. @throws Error with the last answer */
export async function until<T>(ask: () => Promise<Reply>, done: (body: Record<string, unknown>) => T | null): Promise<T> {
  let last: Reply | undefined;
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(PAUSE_MS)) {
    last = await ask();
    const found = last.status === 200 ? done(last.body) : null;
    if (found !== null) return found;
  }
  throw new Error(`Waited ${PATIENCE_MS / 1000} s; the last answer was ${JSON.stringify(last)}`);
}

/** Asks for a snapshot and waits for its end. @returns its last answer */
export async function takeSnapshot(origin: string, cluster = CLUSTER.name): Promise<Record<string, unknown>> {
  const { status, body } = await call(origin, 'POST', `${backupOf(cluster)}/snapshots`, { description: 'test', retentionInDays: 1 });
  if (status !== 200) throw new Error(`Asking for a snapshot answered ${status}: ${JSON.stringify(body)}`);
  return endOfSnapshot(origin, String(body.id), cluster);
}

export function endOfSnapshot(origin: string, id: string, cluster = CLUSTER.name): Promise<Record<string, unknown>> {
  return until(() => call(origin, 'GET', `${backupOf(cluster)}/snapshots/${id}`), (body) => (['completed', 'failed', 'cancelled'].includes(String(body.status)) ? body : null));
}

/** Asks for a restore onto the same cluster and waits for its end. */
export async function restore(origin: string, snapshotId: string): Promise<Record<string, unknown>> {
  const { status, body } = await call(origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name });
  if (status !== 200) throw new Error(`Asking for a restore answered ${status}: ${JSON.stringify(body)}`);
  return until(() => call(origin, 'GET', `${BACKUP}/restoreJobs/${String(body.id)}`), (job) => (job.finishedAt !== undefined || job.failed === true || job.cancelled === true ? job : null));
}
