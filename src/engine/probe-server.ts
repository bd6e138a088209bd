// A first look at a server: whether it answers, and what it is.
import { checkServerVersion, connect, readServerFacts, type ServerFacts } from './mongo/index.ts';

/** Fails within seconds, in words without secrets. @throws SOURCE_UNREACHABLE, SOURCE_AUTH_FAILED, SOURCE_URI_INVALID, SOURCE_SET_NAME_OTHER, SOURCE_TOO_OLD */
export async function probeServer(uri: string): Promise<Pick<ServerFacts, 'topology' | 'replicaSetName' | 'version'>> {
  const client = await connect(uri);
  try {
    const { topology, replicaSetName, version } = await readServerFacts(client);
    checkServerVersion(version);
    return { topology, replicaSetName, version };
  } finally {
    await client.close();
  }
}
