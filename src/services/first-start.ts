// The first start with nothing declared: makes an organization, a project, an API key and a user, and gives back
// once what a person has to keep. A later start finds the mark and gives nothing.
import { randomBytes } from 'node:crypto';
import type { CatalogStore } from '../catalog/index.ts';
import type { Project } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import { declareCredentials } from './declared-credentials.ts';
import { declareCluster } from './declared.ts';
import type { Declaring } from './declaring.ts';
import { newApiKey } from './new-credentials.ts';
import { recoveryKeyOf } from './recovery-key.ts';

/** Secrets in the clear: printed once, kept nowhere. */
export interface FirstStart {
  readonly organization: { readonly id: string; readonly name: string };
  readonly project: { readonly id: string; readonly name: string };
  readonly cluster: { readonly name: string } | null;
  readonly apiKey: { readonly publicKey: string; readonly privateKey: string };
  readonly user: { readonly name: string; readonly password: string };
  readonly recoveryKey: string;
}

export interface FirstStartOptions {
  readonly catalog: Pick<CatalogStore, 'transaction'>;
  readonly clock: Clock;
  readonly masterKey: Uint8Array;
  /** `LEAFVAULT_SOURCE_URI`: the one cluster of the project; also added or changed at a later start. */
  readonly sourceUri: string | null;
}

export const FIRST_ORGANIZATION = 'Leafvault';
export const FIRST_PROJECT = 'default';
export const FIRST_CLUSTER = 'cluster0';
const FIRST_USER = 'admin';
/** Setting: the project of a first start. */
export const FIRST_START_MARK = 'firstStart';

/**
 * Null when the installation was begun before, by a first start or by a declaration. Call it when the configuration
 * declares no organization.
 * @throws DECLARATION_INVALID when the source is no connection string, or there is no project to put it into
 */
export async function firstStart({ catalog, clock, masterKey, sourceUri }: FirstStartOptions): Promise<FirstStart | null> {
  return catalog.transaction(async (tx) => {
    const declaring: Declaring = { catalog: tx, clock, report: { created: [], changed: [], differs: [] }, seen: new Map() };
    const mine = newId(clock.now());
    // The first writer of the mark wins, also among processes that start at once: the others wait for its commit.
    const projectId = await tx.settings.getOrSet(FIRST_START_MARK, mine);
    if (projectId !== mine || (await tx.organizations.list({ ids: null }, { pageNumber: 1, itemsPerPage: 1 })).totalCount > 0) {
      await addSource(declaring, String(projectId), sourceUri);
      return null;
    }
    const { organization, project } = await makeProject(declaring, mine);
    await addSource(declaring, project.id, sourceUri);
    const credentials = newCredentials();
    await declareCredentials(declaring, {
      apiKeys: [{ ...credentials.apiKey, description: 'Made at the first start', roles: ['ORG_OWNER'] }],
      users: [{ ...credentials.user, roles: ['ORG_OWNER'] }],
    }, { orgId: organization.id, projectId: null, path: `organization ${organization.name}` });
    return {
      ...credentials,
      organization: { id: organization.id, name: organization.name },
      project: { id: project.id, name: project.name },
      cluster: sourceUri === null ? null : { name: FIRST_CLUSTER },
      recoveryKey: recoveryKeyOf(masterKey),
    };
  });
}

async function makeProject({ catalog, clock }: Declaring, projectId: string): Promise<{ organization: { id: string; name: string }; project: Project }> {
  const organization = await catalog.organizations.insert({ id: newId(clock.now()), name: FIRST_ORGANIZATION });
  const project = await catalog.projects.insert({ id: projectId, orgId: organization.id, name: FIRST_PROJECT });
  return { organization, project };
}

async function addSource(declaring: Declaring, projectId: string, sourceUri: string | null): Promise<void> {
  if (sourceUri === null) return;
  const project = await declaring.catalog.projects.get(projectId);
  if (project === null) {
    throw new LeafvaultError('DECLARATION_INVALID', 'Adding the cluster of LEAFVAULT_SOURCE_URI failed: this installation was set up by leafvault.yaml', {
      details: { path: 'LEAFVAULT_SOURCE_URI' },
      hint: 'Declare the cluster in leafvault.yaml below its project, and leave LEAFVAULT_SOURCE_URI unset',
    });
  }
  if (project.deletedAt !== null) await declaring.catalog.projects.revive(project.id);
  await declareCluster(declaring, project, { name: FIRST_CLUSTER, uri: sourceUri });
}

/** In the forms of the field: 8 letters, a UUID. */
export function newCredentials(): Pick<FirstStart, 'apiKey' | 'user'> {
  return { apiKey: newApiKey(), user: { name: FIRST_USER, password: randomBytes(15).toString('base64url') } };
}
