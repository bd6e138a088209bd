// A first look at a server: whether it answers, and what it is.
import type { MongoClient } from 'mongodb';
import { checkServerVersion, connect, readServerFacts, type ServerFacts } from './mongo/index.ts';
import { missingRights } from './missing-rights.ts';

/** A member of a set as the one that answered sees it. */
export interface ProbedMember { readonly host: string; readonly state: 'PRIMARY' | 'SECONDARY' | 'ARBITER' | 'UNKNOWN' }

export interface Probed extends Pick<ServerFacts, 'topology' | 'replicaSetName' | 'version'> {
  readonly members: readonly ProbedMember[];
  /** What a snapshot needs and the account may not do; empty where that was not asked. */
  readonly missing: readonly string[];
}

/**
 * Fails within seconds, in words without secrets.
 * @param rights whether the account is tried, too
 * @throws SOURCE_UNREACHABLE, SOURCE_AUTH_FAILED, SOURCE_URI_INVALID, SOURCE_SET_NAME_OTHER, SOURCE_TOO_OLD
 */
export async function probeServer(uri: string, { rights = false }: { readonly rights?: boolean } = {}): Promise<Probed> {
  const client = await connect(uri);
  try {
    const { topology, replicaSetName, version } = await readServerFacts(client);
    checkServerVersion(version);
    const members = replicaSetName === null ? [] : await membersOf(client);
    return { topology, replicaSetName, version, members, missing: rights ? await missingRights(client, topology) : [] };
  } finally {
    await client.close();
  }
}

/** Every member and its state where the account may know it (`replSetGetStatus`), else those that clients may see: of them the one that answers and its primary are known to be there. */
async function membersOf(client: MongoClient): Promise<readonly ProbedMember[]> {
  const { readPreference } = client;
  const admin = client.db('admin');
  const status = await admin.command({ replSetGetStatus: 1 }, { readPreference }).catch(() => null);
  if (Array.isArray(status?.members)) return (status.members as readonly { readonly name: string; readonly stateStr: string }[]).map(({ name, stateStr }) => ({ host: name, state: stateOf(stateStr) }));
  const hello = await admin.command({ hello: 1 }, { readPreference });
  const named = (list: unknown): readonly string[] => (Array.isArray(list) ? (list as readonly string[]) : []);
  const stateIn = (host: string): ProbedMember['state'] => (host === hello.primary ? 'PRIMARY' : host === hello.me && hello.secondary === true ? 'SECONDARY' : 'UNKNOWN');
  return [...named(hello.hosts), ...named(hello.passives), ...named(hello.arbiters)].map((host) => ({ host, state: stateIn(host) }));
}

function stateOf(word: string): ProbedMember['state'] {
  return word === 'PRIMARY' || word === 'SECONDARY' || word === 'ARBITER' ? word : 'UNKNOWN';
}
