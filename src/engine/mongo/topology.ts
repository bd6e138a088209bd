// What kind of deployment answers, and which of its members should be read.
import { MongoServerError, type Document, type MongoClient, type Timestamp } from 'mongodb';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { toClusterTime } from './cluster-times.ts';
import type { Side } from './connect.ts';

export interface ServerFacts {
  readonly topology: 'replicaSet' | 'standalone' | 'sharded';
  readonly replicaSetName: string | null;
  /** Data-bearing members that clients may see, `host:port`. */
  readonly hosts: readonly string[];
  /** How the member that answered calls itself. */
  readonly me: string | null;
  readonly writablePrimary: boolean;
  readonly secondary: boolean;
  readonly version: string;
  readonly maxDocumentBytes: number;
  /** Newest write that a majority holds, as this member knows it. */
  readonly majorityTime: ClusterTime | null;
  readonly majorityDate: Date | null;
}

/** Asks the server that a client reaches. Needs no privilege. */
export async function readServerFacts(client: MongoClient): Promise<ServerFacts> {
  const { readPreference } = client;
  const hello = await client.db('admin').command({ hello: 1 }, { readPreference });
  const { version } = (await client.db('admin').command({ buildInfo: 1 }, { readPreference })) as { readonly version: string };
  const majority = (hello.lastWrite as { readonly majorityOpTime?: { readonly ts?: Timestamp } } | undefined)?.majorityOpTime?.ts;
  return {
    topology: hello.msg === 'isdbgrid' ? 'sharded' : typeof hello.setName === 'string' ? 'replicaSet' : 'standalone',
    replicaSetName: typeof hello.setName === 'string' ? hello.setName : null,
    hosts: [...textsOf(hello, 'hosts'), ...textsOf(hello, 'passives')],
    me: typeof hello.me === 'string' ? hello.me : null,
    writablePrimary: hello.isWritablePrimary === true,
    secondary: hello.secondary === true,
    version,
    maxDocumentBytes: typeof hello.maxBsonObjectSize === 'number' ? hello.maxBsonObjectSize : 16 * 1024 * 1024,
    majorityTime: majority === undefined ? null : toClusterTime(majority),
    majorityDate: (hello.lastWrite as { readonly majorityWriteDate?: Date } | undefined)?.majorityWriteDate ?? null,
  };
}

/**
 * The id that a replica set gets when it is made and keeps for ever. Null where there is none, or where the account may not see it.
 * @param command runs a command on `admin`
 */
export async function readReplicaSetId({ topology }: Pick<ServerFacts, 'topology'>, command: (command: Document) => Promise<Document>): Promise<string | null> {
  if (topology !== 'replicaSet') return null;
  const reply = await nullIfRefused(() => command({ replSetGetConfig: 1 }));
  const id: unknown = (reply?.config as { readonly settings?: { readonly replicaSetId?: unknown } } | undefined)?.settings?.replicaSetId;
  return id === undefined ? null : String(id);
}

/** Null where the server refuses the command (no privilege, not MongoDB); other failures are failures. */
export async function nullIfRefused<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MongoServerError && typeof error.code === 'number') return null;
    throw error;
  }
}

/** Refuses servers without snapshot reads; says whether the version is one that Leafvault is tested with. */
export function checkServerVersion(version: string, side: Side = 'SOURCE'): { readonly tested: boolean } {
  const [major = 0] = version.split('.').map(Number);
  if (major < 5) {
    throw new LeafvaultError(`${side}_TOO_OLD`, `Using the server failed: MongoDB ${version} is older than 5.0`, {
      details: { version },
      hint: 'Upgrade the server to MongoDB 5.0 or newer',
    });
  }
  return { tested: version.startsWith('6.0.') };
}

export interface Candidate {
  /** `host:port` as the replica set calls it. */
  readonly host: string;
  readonly facts: ServerFacts;
}

/** How far behind the freshest member a secondary may be and still be read. */
const MAX_LAG_SECONDS = 60;

/**
 * The member to read: that of the previous snapshot if it is healthy (natural order, and so deduplication, belong to
 * a member), else the freshest secondary, else the primary. Null when none can be read.
 */
export function chooseMember(candidates: readonly Candidate[], preferred: string | null): Candidate | null {
  const readable = candidates.filter(({ facts }) => facts.writablePrimary || facts.secondary);
  const newest = Math.max(...readable.map(secondsOf), 0);
  const healthy = readable.filter((candidate) => newest - secondsOf(candidate) <= MAX_LAG_SECONDS);
  const before = healthy.find(({ host }) => host === preferred);
  if (before !== undefined) return before;
  const secondaries = healthy.filter(({ facts }) => facts.secondary).toSorted((a, b) => secondsOf(b) - secondsOf(a) || a.host.localeCompare(b.host));
  return secondaries[0] ?? healthy.find(({ facts }) => facts.writablePrimary) ?? null;
}

function secondsOf({ facts }: Candidate): number {
  return facts.majorityTime?.t ?? 0;
}

function textsOf(document: Document, field: string): readonly string[] {
  const value: unknown = document[field];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
