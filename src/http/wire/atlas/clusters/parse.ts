// A cluster from Atlas's words to ours.
import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { ClusterDetails } from '../../../../services/administration-contracts.ts';
import { readBody } from '../../read-body.ts';
import { CONNECTION_MEMBER, createClusterBody, updateClusterBody } from './schemas.ts';

/** For clients whose body can hold nothing but the vendor's members. */
const HEADER = 'leafvault-connection-string';

type Body = z.infer<typeof updateClusterBody>;

export function parseCreateCluster({ body, headers }: { readonly body: unknown; readonly headers: IncomingHttpHeaders }): ClusterDetails & { readonly name: string; readonly uri: string; readonly scheduled: boolean } {
  const given = readBody(createClusterBody, body);
  const uri = uriOf(given, headers);
  if (uri === undefined) {
    throw new LeafvaultError('ATTRIBUTE_MISSING', `Registering a cluster failed: it has no connection string`, {
      details: { name: CONNECTION_MEMBER }, hint: `Give it as ${CONNECTION_MEMBER} in the body or in the header ${HEADER}`,
    });
  }
  return { ...detailsOf(given), name: given.name, uri, scheduled: (given.backupEnabled ?? given.providerBackupEnabled ?? true) };
}

/** @param cluster its name does not change. `starts`: backups that rest go on; what holds already is no change */
export function parseUpdateCluster({ name, isBackedUp }: { readonly name: string; readonly isBackedUp: boolean }, { body, headers }: { readonly body: unknown; readonly headers: IncomingHttpHeaders }): ClusterDetails & { readonly uri?: string | undefined; readonly starts: boolean } {
  const given = readBody(updateClusterBody, body);
  if (given.name !== undefined && given.name !== name) throw new LeafvaultError('ATTRIBUTE_INVALID', `Changing cluster ${name} failed: its name does not change`, { details: { name: 'name' } });
  const asked = [given.backupEnabled, given.providerBackupEnabled];
  if (isBackedUp && asked.includes(false)) throw unserved('backups are ended by deleting the schedule, or the cluster');
  return { ...detailsOf(given), uri: uriOf(given, headers), starts: !isBackedUp && asked.includes(true) };
}

function uriOf(given: Body, headers: IncomingHttpHeaders): string | undefined {
  const header = headers[HEADER];
  return given[CONNECTION_MEMBER] ?? (typeof header === 'string' && header !== '' ? header : undefined);
}

function detailsOf({ clusterType, paused, tags, labels, terminationProtectionEnabled, pitEnabled }: Body): ClusterDetails {
  if (clusterType !== undefined && clusterType !== 'REPLICASET') throw unserved('sharded clusters are not captured yet');
  if (paused === true) throw unserved('a server of your own is not paused from here');
  return {
    tags, terminationProtection: terminationProtectionEnabled, continuousBackup: pitEnabled,
    labels: labels?.map(({ key = '', value = '' }) => ({ key, value })),
  };
}

function unserved(reason: string): LeafvaultError {
  return new LeafvaultError('CLUSTER_UNFIT', `Changing a cluster was refused: ${reason}`, { details: { reason } });
}
