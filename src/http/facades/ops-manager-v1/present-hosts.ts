// Hosts in Ops Manager's form, and the little of an automation configuration that clients read.
import type { Host, MemberState } from '../../../services/contracts.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../wire/time-text.ts';

const TYPES: Readonly<Record<MemberState, string>> = { PRIMARY: 'REPLICA_PRIMARY', SECONDARY: 'REPLICA_SECONDARY', ARBITER: 'REPLICA_ARBITER', STANDALONE: 'STANDALONE', UNKNOWN: 'NO_DATA' };

/** What was not measured is left out; `created` is when the cluster was registered. */
export function presentHost({ id, cluster, hostname, port, state, replicaSetName, version, seenAt }: Host, root: string): object {
  const group = `${root}/groups/${cluster.projectId}`;
  return {
    alertsEnabled: false,
    clusterId: cluster.id,
    created: isoSeconds(cluster.createdAt),
    groupId: cluster.projectId,
    hostEnabled: true,
    hostname,
    id,
    lastPing: isoSecondsOrUnset(seenAt),
    links: [
      { rel: 'self', href: `${group}/hosts/${id}` },
      { rel: 'http://mms.mongodb.com/cluster', href: `${group}/clusters/${cluster.id}` },
      { rel: 'http://mms.mongodb.com/group', href: group },
    ],
    logsEnabled: false,
    port,
    profilerEnabled: false,
    replicaSetName: replicaSetName ?? undefined,
    replicaStateName: state === 'UNKNOWN' || state === 'STANDALONE' ? undefined : state,
    typeName: TYPES[state],
    version: version ?? undefined,
  };
}

export function presentAutomationConfig(hosts: readonly Host[]): object {
  const bySet = Map.groupBy(hosts.filter(({ replicaSetName }) => replicaSetName !== null), ({ cluster }) => cluster.id);
  return {
    processes: hosts.map((host) => ({
      args2_6: { net: { port: host.port }, ...(host.replicaSetName === null ? {} : { replication: { replSetName: host.replicaSetName } }) },
      hostname: host.hostname, name: nameOf(host), processType: 'mongod', version: host.version ?? host.cluster.mongodbVersion ?? undefined,
    })),
    replicaSets: [...bySet.values()].map((members) => ({
      _id: members[0]?.replicaSetName,
      members: members.map((host, at) => ({ _id: at, host: nameOf(host), arbiterOnly: host.state === 'ARBITER' })),
    })),
    sharding: [],
    version: 1,
  };
}

function nameOf({ hostname, port }: Host): string {
  return `${hostname}:${port}`;
}
