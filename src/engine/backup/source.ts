// The member that is read: one direct connection, one session, its clock of what was seen; another member when it is lost.
// Owns connecting and waiting for a member; what to do after a change of member is each reader's own affair.
import { MongoNetworkError, MongoServerError, MongoServerSelectionError, type ClientSession, type Document, type MongoClient } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { LeafvaultError, describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import {
  checkServerVersion, chooseMember, connect, connectToMember, createRawReader, directUri, hostsOfUri, isDirectUri, laterOf, readServerFacts, toClusterTime,
  type Candidate, type RawReader, type RawReply, type ServerFacts,
} from '../mongo/index.ts';

export interface Source {
  readonly facts: ServerFacts;
  /** `host:port` of the member that is read now. */
  readonly member: string;
  /** Grows when another member, or a restarted one, is read: cursors and resume tokens of before are void. */
  readonly generation: number;
  /** Identity of the server process that is read; null: it has none to tell. */
  readonly process: string | null;
  /** The newest operation time of any reply. */
  readonly seen: ClusterTime | null;
  /** What somebody saw of the same set before: `majorityTime` is not older than this either. */
  hasSeen(time: ClusterTime): void;
  open(db: string, command: Document): Promise<RawReply>;
  more(db: string, cursor: { readonly id: bigint; readonly collection: string }, command?: Document): Promise<RawReply>;
  kill(db: string, cursor: { readonly id: bigint; readonly collection: string }): Promise<void>;
  /** Runs any command, decoded: for metadata only. */
  command(db: string, command: Document): Promise<Document>;
  /** A majority time of the member that is not older than anything seen. */
  majorityTime(): Promise<ClusterTime>;
  /** After a transient failure: resolves when the member answers again or another was chosen. @throws SOURCE_NO_MEMBER */
  recover(generation: number): Promise<void>;
  /** Where another member has a majority time behind `than`, goes on with that one; false: nobody is known to. */
  leaveFor(than: ClusterTime): Promise<boolean>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly uri: string;
  readonly preferredMember: string | null;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a lost member is waited for before another is chosen; 5 s by default. */
  readonly patienceMs?: number;
}

interface Link {
  readonly client: MongoClient;
  readonly reader: RawReader;
  readonly session: ClientSession | undefined;
  readonly facts: ServerFacts;
  readonly member: string;
  /** Changes when the server process is another one. */
  readonly process: string;
}

/** @throws LeafvaultError SOURCE_UNREACHABLE, SOURCE_AUTH_FAILED, SOURCE_TOO_OLD, SOURCE_SHARDED, SOURCE_NO_MEMBER */
export async function openSource(options: SourceOptions): Promise<Source> {
  let link = await openLink(options, options.preferredMember);
  let generation = 0;
  let seen: ClusterTime | null = null;
  let recovering: Promise<void> | null = null;
  warnOfVersion(link.facts.version, options.log);

  const note = <T extends { readonly operationTime: ClusterTime | null }>(reply: T): T => {
    seen = laterOf(seen, reply.operationTime);
    return reply;
  };
  const readOptions = (): { readonly session?: ClientSession; readonly signal: AbortSignal } =>
    link.session === undefined ? { signal: options.signal } : { session: link.session, signal: options.signal };

  const recover = async (): Promise<void> => {
    const deadline = options.clock.monotonicMs() + (options.patienceMs ?? 5_000);
    for (;;) {
      throwIfAborted(options.signal);
      const process = await answeringProcess(link.client);
      if (process === link.process) return;
      if (process !== null || options.clock.monotonicMs() > deadline) break;
      await sleep(100, options.signal);
    }
    await goOnWith(await openLink(options, link.member), 'reading goes on with another or restarted member');
  };
  const goOnWith = async (next: Link, words: string): Promise<void> => {
    const lost = link;
    link = next;
    generation += 1;
    options.log.warn({ from: lost.member, to: link.member }, words);
    await lost.client.close(true).catch(() => undefined);
  };

  return {
    get facts() { return link.facts; },
    get member() { return link.member; },
    get generation() { return generation; },
    get process() { return link.process === '' || link.process === UNNAMED ? null : link.process; },
    get seen() { return seen; },
    hasSeen(time) {
      seen = laterOf(seen, time);
    },
    open: async (db, command) => note(await link.reader.open(db, command, readOptions())),
    more: async (db, cursor, command) => note(await link.reader.more(db, cursor, command, readOptions())),
    kill: (db, cursor) => link.reader.kill(db, cursor),
    async command(db, command) {
      const reply = await link.client.db(db).command(command, readOptions());
      if (reply.operationTime !== undefined) seen = laterOf(seen, toClusterTime(reply.operationTime));
      return reply;
    },
    async majorityTime() {
      for (;;) {
        throwIfAborted(options.signal);
        const { majorityTime } = await readServerFacts(link.client);
        if (majorityTime !== null && (seen === null || compareClusterTimes(majorityTime, seen) >= 0)) return majorityTime;
        await sleep(50, options.signal);
      }
    },
    recover(failed) {
      if (failed !== generation) return Promise.resolve();
      recovering ??= recover().finally(() => { recovering = null; });
      return recovering;
    },
    async leaveFor(than) {
      const next = await openFresher(options, link.member, than);
      if (next !== null) await goOnWith(next, 'the member that is read gets nothing new; reading goes on with another');
      return next !== null;
    },
    async close() {
      // The server ends what a lost session left behind; closing must never hide the first failure.
      await link.session?.endSession().catch(() => undefined);
      await link.client.close(true).catch(() => undefined);
    },
  };
}

/** True for failures that say nothing against the command: the same may succeed on this or another member. */
export function isTransient(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoServerError && typeof error.code === 'number') return TRANSIENT_CODES.has(error.code);
  return error instanceof Error && (error.name === 'MongoPoolClearedError' || error.name === 'MongoTopologyClosedError' || error.name === 'MongoNotConnectedError');
}

// HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, ExceededTimeLimit, SocketException, NotWritablePrimary,
// InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, ReadConcernMajorityNotAvailableYet
const TRANSIENT_CODES = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 134]);

/** The code of a server's refusal, null for anything else. */
export function serverCode(error: unknown): number | null {
  return error instanceof MongoServerError && typeof error.code === 'number' ? error.code : null;
}

/** True when the account lacks a privilege, in the server's words or in ours. */
export function isPrivilegeMissing(error: unknown): boolean {
  return serverCode(error) === 13 || isLeafvaultError(error, 'SOURCE_PRIVILEGE_MISSING');
}

/**
 * Puts a refused read into the family's words; others pass as they are.
 * @param member `host:port` of whom was read
 */
export function asReadError(error: unknown, what: string, member: string): unknown {
  const code = serverCode(error);
  if (code === null) return error;
  if (code === 13) {
    return new LeafvaultError('SOURCE_PRIVILEGE_MISSING', `${what} on ${member} failed: the account may not do this`, {
      details: { command: what, member },
      hint: 'Give the account the role leafvaultBackup; `leafvault roles` prints how to create it',
    });
  }
  return new LeafvaultError('SOURCE_READ_FAILED', `${what} on ${member} failed: ${describeError(error)}`, { cause: error, details: { command: what, member, code } });
}

async function openLink(options: SourceOptions, preferred: string | null): Promise<Link> {
  const seed = await connect(options.uri, { signal: options.signal });
  try {
    const facts = await readServerFacts(seed);
    if (facts.topology === 'sharded') throw sharded(options.uri);
    if (facts.topology === 'standalone' || isDirectUri(options.uri)) {
      return await linkTo(await connectSame(options, seed, facts), facts.me ?? hostsOfUri(options.uri)[0] ?? 'unknown');
    }
    return await chooseLink(options, seed, preferred);
  } finally {
    await seed.close(true).catch(() => undefined);
  }
}

/** A standalone has no name of its own for itself: the address that was given is the one to use. */
async function connectSame(options: SourceOptions, seed: MongoClient, facts: ServerFacts): Promise<MongoClient> {
  checkServerVersion(facts.version);
  return connect(directUri(options.uri, hostsOfUri(options.uri)[0] ?? '', { tls: seed.options.tls, authSource: seed.options.credentials?.source ?? null }), {
    signal: options.signal,
  });
}

/** A member other than `member` that knows of majority writes behind `than`. */
async function openFresher(options: SourceOptions, member: string, than: ClusterTime): Promise<Link | null> {
  if (isDirectUri(options.uri)) return null;
  const isFresher = ({ host, facts: { majorityTime } }: Candidate): boolean => host !== member && majorityTime !== null && compareClusterTimes(majorityTime, than) > 0;
  let seed: MongoClient | null = null;
  try {
    seed = await connect(options.uri, { signal: options.signal });
    return await chooseLink(options, seed, null, isFresher);
  } catch (error) {
    throwIfAborted(options.signal);
    // Valid fallback: the member that is read still answers.
    if (!isLeafvaultError(error) && !isTransient(error)) throw error;
    return null;
  } finally {
    await seed?.close(true).catch(() => undefined);
  }
}

async function chooseLink(options: SourceOptions, seed: MongoClient, preferred: string | null, isWanted: (candidate: Candidate) => boolean = () => true): Promise<Link> {
  const { hosts } = await readServerFacts(seed);
  const clients = new Map<string, MongoClient>();
  try {
    const probed = await Promise.allSettled(hosts.map(async (host): Promise<Candidate> => {
      const client = await connectToMember(options.uri, seed, host, { signal: options.signal, selectionTimeoutMs: 3_000 });
      clients.set(host, client);
      return { host, facts: await readServerFacts(client) };
    }));
    throwIfAborted(options.signal);
    const chosen = chooseMember(probed.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])).filter(isWanted), preferred);
    if (chosen === null) throw noMember(hosts);
    checkServerVersion(chosen.facts.version);
    const client = clients.get(chosen.host) as MongoClient;
    clients.delete(chosen.host);
    return await linkTo(client, chosen.host);
  } finally {
    await Promise.all([...clients.values()].map((client) => client.close(true).catch(() => undefined)));
  }
}

async function linkTo(client: MongoClient, member: string): Promise<Link> {
  try {
    const facts = await readServerFacts(client);
    return {
      client,
      member,
      facts,
      reader: await createRawReader(client),
      session: facts.topology === 'replicaSet' ? client.startSession({ causalConsistency: false }) : undefined,
      process: (await answeringProcess(client)) ?? '',
    };
  } catch (error) {
    await client.close(true).catch(() => undefined);
    throw error;
  }
}

const UNNAMED = 'unnamed';

/** Identity of the server process behind a client, null when it doesn't answer or can't be read. */
async function answeringProcess(client: MongoClient): Promise<string | null> {
  try {
    const hello = await client.db('admin').command({ hello: 1 });
    const readable = hello.isWritablePrimary === true || hello.secondary === true;
    return readable ? String(hello.topologyVersion?.processId ?? UNNAMED) : null;
  } catch {
    // Valid fallback: the caller waits and asks again.
    return null;
  }
}

function warnOfVersion(version: string, log: Logger): void {
  if (!checkServerVersion(version).tested) log.warn({ version }, 'this server version is not one that Leafvault is tested with (6.0)');
}

function sharded(uri: string): LeafvaultError {
  const hosts = hostsOfUri(uri);
  return new LeafvaultError('SOURCE_SHARDED', `Capturing ${hosts.join(', ')} failed: it is a mongos, and sharded clusters are not captured yet`, { details: { hosts } });
}

function noMember(members: readonly string[]): LeafvaultError {
  return new LeafvaultError('SOURCE_NO_MEMBER', `Choosing a member failed: none of ${members.join(', ')} can be read`, {
    details: { members },
    retryable: true,
    hint: 'Check that the members are up, and that this machine reaches them by the names in the replica set configuration',
  });
}
