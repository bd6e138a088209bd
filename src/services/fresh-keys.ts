// API keys for organizations that were rebuilt from snapshots alone: the old ones went with the catalog.
import type { CatalogTransaction } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { declareCredentials } from './declared-credentials.ts';
import { newCredentials } from './first-start.ts';

/** Secret in the clear: printed once, kept nowhere. */
export interface FreshKey { readonly organization: { readonly id: string; readonly name: string }; readonly publicKey: string; readonly privateKey: string }

/** One for each, with the role ORG_OWNER. */
export async function makeFreshKeys(tx: CatalogTransaction, clock: Clock, organizations: readonly { readonly id: string; readonly name: string }[]): Promise<readonly FreshKey[]> {
  const made: FreshKey[] = [];
  for (const { id, name } of organizations) {
    const { apiKey } = newCredentials();
    const declaring = { catalog: tx, clock, report: { created: [], changed: [], differs: [] }, seen: new Map<string, string>() };
    await declareCredentials(declaring, { apiKeys: [{ ...apiKey, description: 'Made by a rescue', roles: ['ORG_OWNER'] }] }, { orgId: id, projectId: null, path: `organization ${name}` });
    made.push({ organization: { id, name }, ...apiKey });
  }
  return made;
}
