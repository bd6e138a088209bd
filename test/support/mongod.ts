// Real MongoDB servers for tests, the demo and the bench: throw-away replica sets and standalones on 127.0.0.1.
// Everything lives in one folder below the temp folder and is gone after `stop`, or when this process dies.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, MongoNetworkError, type Document } from 'mongodb';
import { resolveMongod } from './mongod-binary.ts';
import { startMongod, type MongodProcess } from './mongod-process.ts';
import { PATIENCE_MS } from './patience.ts';
import { startWatchdog } from './watchdog.ts';

export { resolveMongod, type ResolvedMongod } from './mongod-binary.ts';
export { freePort } from './free-port.ts';

export interface ServerOptions {
  /** Authorization on, with a root user that `adminUri` names. */
  readonly auth?: boolean;
  /** `--setParameter name=value` each. */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** WiredTiger cache of each server; 0.25 by default. */
  readonly cacheGB?: number;
  /** Between checkpoints, 60 by default. An oplog is cut behind checkpoints only. */
  readonly checkpointSeconds?: number;
}

export interface ReplicaSetOptions extends ServerOptions {
  /** 1 by default. */
  readonly members?: number;
  /** 990 is the smallest that survives everything; 64 by default keeps the disk small. */
  readonly oplogSizeMB?: number;
  /** 1500 by default: quick elections that a busy machine does not provoke. */
  readonly electionTimeoutMs?: number;
  readonly name?: string;
}

export interface MongoUser {
  readonly user: string;
  readonly password: string;
  /** `db` is admin unless given. */
  readonly roles: readonly (string | { readonly role: string; readonly db: string })[];
}

export interface MongoServer extends AsyncDisposable {
  /** Without credentials, whatever `auth` says. */
  readonly uri: string;
  /** As root where authorization is on, else the same as `uri`. */
  readonly adminUri: string;
  readonly members: readonly MongodProcess[];
  /** Runs a command on `admin` as root. */
  admin(command: Document): Promise<Document>;
  /** Makes a user in admin. @returns a connection string that logs in as that user */
  createUser(user: MongoUser): Promise<string>;
  /** Makes a custom role in admin from a `createRole` command document. */
  createRole(command: Document): Promise<void>;
  /** A connection string straight to one member, as root where authorization is on. */
  memberUri(index: number): string;
  /** Kills the servers and removes their data. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ReplicaSet extends MongoServer {
  readonly name: string;
  /** Index of the member that is primary now; waits until there is one. */
  primary(): Promise<number>;
  /** SIGKILL to one member; `members[index].restart()` brings it back. */
  kill(index: number): Promise<void>;
  /** The primary gives up its place; resolves with the index of the next primary. */
  stepDown(): Promise<number>;
}

const ROOT = { user: 'root', password: 'root-of-a-throw-away-server' };

/** A replica set with a primary. Members beyond the first are in state SECONDARY when it resolves. */
export async function startReplicaSet(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  const name = options.name ?? 'rs0';
  const count = options.members ?? 1;
  const base = await startServers(options, count, [
    '--replSet', name, '--oplogSize', String(options.oplogSizeMB ?? 64),
    '--setParameter', 'initialSyncSourceReadPreference=primary',
  ]);
  try {
    await initiate(base.members, name, options.electionTimeoutMs ?? 1_500);
    if (options.auth) await createRoot(base.members[0] as MongodProcess);
    const set = asReplicaSet(base, name, options.auth ?? false);
    await waitForSecondaries(set, count);
    return set;
  } catch (error) {
    await base.stop();
    throw error;
  }
}

/** A standalone server: no oplog, no sessions with snapshot reads. */
export async function startStandalone(options: ServerOptions = {}): Promise<MongoServer> {
  const base = await startServers(options, 1, []);
  try {
    if (options.auth) await createRoot(base.members[0] as MongodProcess);
    return asServer(base, '', options.auth ?? false);
  } catch (error) {
    await base.stop();
    throw error;
  }
}

interface Servers {
  readonly members: readonly MongodProcess[];
  stop(): Promise<void>;
}

async function startServers(options: ServerOptions, count: number, extra: readonly string[]): Promise<Servers> {
  const { path: binary } = await resolveMongod();
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-mongod-'));
  const watchdog = startWatchdog(folder);
  const members: MongodProcess[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopServers());
  async function stopServers(): Promise<void> {
    await Promise.all(members.map((member) => member.kill()));
    watchdog.dismiss();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  try {
    const args = [...serverArgs(options), ...extra];
    if (options.auth) args.push('--auth', '--keyFile', await writeKeyFile(folder));
    const starts = Array.from({ length: count }, async (_, index) => {
      const own = join(folder, String(index));
      await mkdir(own);
      members[index] = await startMongod({ binary, folder: own, args, onPid: (pid) => watchdog.watch(pid) });
    });
    const failed = (await Promise.allSettled(starts)).find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return { members, stop };
  } catch (error) {
    await Promise.all(members.filter(Boolean).map((member) => member.kill()));
    await stop().catch(() => undefined);
    throw error;
  }
}

function serverArgs(options: ServerOptions): string[] {
  const parameters = { diagnosticDataCollectionEnabled: false, ...options.parameters };
  return [
    '--wiredTigerCacheSizeGB', String(options.cacheGB ?? 0.25), '--syncdelay', String(options.checkpointSeconds ?? 60),
    ...Object.entries(parameters).flatMap(([name, value]) => ['--setParameter', `${name}=${value}`]),
  ];
}

async function writeKeyFile(folder: string): Promise<string> {
  const path = join(folder, 'key');
  await writeFile(path, randomBytes(48).toString('base64'), { mode: 0o400 });
  return path;
}

async function initiate(members: readonly MongodProcess[], name: string, electionTimeoutMillis: number): Promise<void> {
  const first = members[0] as MongodProcess;
  await withClient(`mongodb://${first.host}/?directConnection=true`, async (client) => {
    await client.db('admin').command({
      replSetInitiate: {
        _id: name,
        // The first member wins the first election, the others may win later ones.
        members: members.map((member, _id) => ({ _id, host: member.host })),
        settings: { electionTimeoutMillis, heartbeatIntervalMillis: 250, chainingAllowed: true },
      },
    });
    await poll('the first election', async () => (await client.db('admin').command({ hello: 1 })).isWritablePrimary === true);
  });
}

// Through the localhost exception: allowed as long as there is no user.
async function createRoot(member: MongodProcess): Promise<void> {
  await withClient(`mongodb://${member.host}/?directConnection=true`, async (client) => {
    await client.db('admin').command({ createUser: ROOT.user, pwd: ROOT.password, roles: ['root'], mechanisms: ['SCRAM-SHA-256'] });
  });
}

function asServer(base: Servers, query: string, auth: boolean): MongoServer {
  const hosts = base.members.map((member) => member.host).join(',');
  const uriOf = (user?: string, password?: string, host = hosts, parameters = query): string => {
    const login = user === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? '')}@`;
    return `mongodb://${login}${host}/${parameters}`;
  };
  const adminUri = auth ? uriOf(ROOT.user, ROOT.password) : uriOf();
  const admin = (command: Document): Promise<Document> => withClient(adminUri, (client) => client.db('admin').command(command));
  // A member that lags would refuse the login.
  const everywhere = { w: base.members.length, wtimeout: PATIENCE_MS };
  return {
    uri: uriOf(),
    adminUri,
    members: base.members,
    admin,
    async createUser({ user, password, roles }) {
      await admin({ createUser: user, pwd: password, roles: roles.map((role) => (typeof role === 'string' ? { role, db: 'admin' } : role)), mechanisms: ['SCRAM-SHA-256'], writeConcern: everywhere });
      return uriOf(user, password);
    },
    createRole: async (command) => void (await admin({ ...command, writeConcern: everywhere })),
    memberUri(index) {
      const host = (base.members[index] as MongodProcess).host;
      return auth ? uriOf(ROOT.user, ROOT.password, host, '?directConnection=true') : uriOf(undefined, undefined, host, '?directConnection=true');
    },
    stop: base.stop,
    [Symbol.asyncDispose]: base.stop,
  };
}

function asReplicaSet(base: Servers, name: string, auth: boolean): ReplicaSet {
  const server = asServer(base, `?replicaSet=${name}`, auth);
  const primary = async (): Promise<number> => {
    let found = -1;
    await poll('a primary', async () => {
      const hello = await server.admin({ hello: 1 });
      found = base.members.findIndex((member) => hello.isWritablePrimary === true && member.host === hello.primary);
      return found >= 0;
    });
    return found;
  };
  return {
    ...server,
    name,
    primary,
    kill: (index) => (base.members[index] as MongodProcess).kill(),
    async stepDown() {
      const before = await primary();
      // A primary that steps down may cut the connection that told it to; whether it did is seen below.
      await withClient(server.memberUri(before), (client) => client.db('admin').command({ replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5 })).catch((error: unknown) => {
        if (!(error instanceof MongoNetworkError)) throw error;
      });
      await poll('the next primary', async () => (await primary()) !== before);
      return primary();
    },
  };
}

async function waitForSecondaries(set: ReplicaSet, count: number): Promise<void> {
  if (count === 1) return;
  await poll('all secondaries', async () => {
    const { members } = await set.admin({ replSetGetStatus: 1 });
    return (members as { state: number }[]).filter(({ state }) => state === 1 || state === 2).length === count;
  });
}

async function poll(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await done()) return;
    } catch (error) {
      last = error;
    }
    await delay(50);
  }
  throw new Error(`Waited ${PATIENCE_MS / 1000} s for ${what}`, { cause: last });
}

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 30_000, heartbeatFrequencyMS: 500 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
