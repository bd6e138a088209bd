// Logged-in clients for the four APIs, and their paths for the demo's cluster.
import { digestClient, plainClient, type Client } from './http-client.ts';
import { CLUSTER, KEY, PROJECT, USER } from './stage.ts';
import type { Story } from './story.ts';

export interface Doors {
  /** Atlas v2, v1.0 and Ops Manager: digest. */
  readonly digest: Client;
  /** Commvault: a token. */
  readonly commvault: Client;
  readonly atlasV2: string;
  readonly atlasV1: string;
  readonly opsManager: string;
}

export const ATLAS_V2 = { accept: 'application/vnd.atlas.2023-01-01+json' };

export async function openDoors(story: Story, origin: string): Promise<Doors> {
  const plain = plainClient(story, origin);
  await plain.call('GET', `/api/atlas/v2/groups/${PROJECT.id}/clusters/${CLUSTER.name}`, {
    headers: ATLAS_V2, expect: [401], meaning: () => 'nobody gets in without credentials: a digest challenge comes back',
  });
  const digest = digestClient(story, origin, KEY);
  await digest.call('GET', `/api/atlas/v2/groups/${PROJECT.id}/clusters/${CLUSTER.name}`, {
    headers: ATLAS_V2, meaning: ({ body }) => `with the key: cluster ${String(body.name)} is registered`,
  });
  const { body } = await plain.call('POST', '/commandcenter/api/Login', {
    body: { username: USER.name, password: Buffer.from(USER.password).toString('base64') },
    meaning: () => 'logged in at the Commvault door, too: its job list shows the progress of every job',
  });
  return {
    digest,
    commvault: plainClient(story, origin, { authtoken: String(body.token), accept: 'application/json' }),
    atlasV2: `/api/atlas/v2/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup`,
    atlasV1: `/api/atlas/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup`,
    opsManager: `/api/public/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.id}`,
  };
}
