// What a snapshot says about where it came from, beyond what `hello` tells.
import { nullIfRefused, readReplicaSetId } from '../mongo/topology.ts';
import type { Source } from './source.ts';

export interface SourceIdentity {
  readonly replicaSetId: string | null;
  readonly featureCompatibilityVersion: string;
}

/** For people and for later comparison only: what the account may not see is left open. */
export async function readSourceIdentity(source: Source): Promise<SourceIdentity> {
  return { replicaSetId: await readReplicaSetId(source.facts, (command) => source.command('admin', command)), featureCompatibilityVersion: await readCompatibilityVersion(source) };
}

async function readCompatibilityVersion(source: Source): Promise<string> {
  const reply = await nullIfRefused(() => source.command('admin', { find: 'system.version', filter: { _id: 'featureCompatibilityVersion' }, limit: 1 }));
  const [document] = (reply?.cursor as { readonly firstBatch: readonly { readonly version?: unknown }[] } | undefined)?.firstBatch ?? [];
  return typeof document?.version === 'string' ? document.version : source.facts.version.split('.').slice(0, 2).join('.');
}
