// The administration for fast tests of the doors: it knows organizations, and does nothing. Its own tests run on a real catalog.
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Administration, Organizations } from '../../src/services/administration-contracts.ts';

/** Every call but the reading of an organization fails as if nothing were there. */
export function administrationInMemory(organization: Organizations['get']): Administration {
  const nothing = <T extends object>(code: string): T => new Proxy({} as T, {
    get: () => (...asked: readonly unknown[]) => {
      const [projectId, name] = typeof asked[0] === 'string' ? asked : [];
      return Promise.reject(new LeafvaultError(code, `In memory: ${code}`, { details: { projectId, name } }));
    },
  });
  return {
    organizations: { get: organization },
    projects: nothing('PROJECT_NOT_FOUND'),
    clusters: nothing('CLUSTER_NOT_FOUND'),
    credentials: nothing('CREDENTIAL_NOT_FOUND'),
    events: nothing('EVENT_NOT_FOUND'),
  };
}
