// What a snapshot says about where it came from, beyond what `hello` tells.
import { serverCode, type Source } from './source.ts';

export interface SourceIdentity {
  readonly replicaSetId: string | null;
  readonly featureCompatibilityVersion: string;
}

/** For people and for later comparison only: what the account may not see is left open. */
export async function readSourceIdentity(source: Source): Promise<SourceIdentity> {
  return { replicaSetId: await readReplicaSetId(source), featureCompatibilityVersion: await readCompatibilityVersion(source) };
}

async function readReplicaSetId(source: Source): Promise<string | null> {
  if (source.facts.topology !== 'replicaSet') return null;
  const reply = await tolerant(() => source.command('admin', { replSetGetConfig: 1 }));
  const id: unknown = (reply?.config as { readonly settings?: { readonly replicaSetId?: unknown } } | undefined)?.settings?.replicaSetId;
  return id === undefined ? null : String(id);
}

async function readCompatibilityVersion(source: Source): Promise<string> {
  const reply = await tolerant(() => source.command('admin', { find: 'system.version', filter: { _id: 'featureCompatibilityVersion' }, limit: 1 }));
  const [document] = (reply?.cursor as { readonly firstBatch: readonly { readonly version?: unknown }[] } | undefined)?.firstBatch ?? [];
  return typeof document?.version === 'string' ? document.version : source.facts.version.split('.').slice(0, 2).join('.');
}

/** Null where the server refuses the command (no privilege, not MongoDB); other failures are failures. */
async function tolerant<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (serverCode(error) !== null) return null;
    throw error;
  }
}
