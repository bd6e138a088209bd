// The servers of a cluster, asked now: nothing of them is kept.
import type { CatalogStore } from '../catalog/index.ts';
import type { Cluster } from '../domain/records.ts';
import type { Clock } from '../foundation/clock.ts';
import { derivedId } from '../foundation/ids.ts';
import type { FoundServer } from './administration-contracts.ts';
import type { Host, Hosts } from './backup-config-contracts.ts';

export interface HostsOptions {
  readonly catalog: Pick<CatalogStore, 'clusters'>;
  readonly clock: Clock;
  readonly probe: (uri: string) => Promise<FoundServer>;
}

const DEFAULT_PORT = 27_017;

export function createHosts({ catalog, clock, probe }: HostsOptions): Hosts {
  const known = (cluster: Cluster): readonly Host[] => cluster.hosts.map((address) => hostOf(cluster, { address, state: 'UNKNOWN', replicaSetName: cluster.replicaSetName, version: null, seenAt: null }));
  return {
    known,
    async ofCluster(cluster) {
      const found = await asked({ catalog, probe }, cluster);
      if (found === null) return known(cluster);
      const seenAt = clock.now();
      const { members = [], replicaSetName, version } = found;
      if (members.length > 0) return members.map(({ host: address, state }) => hostOf(cluster, { address, state, replicaSetName, ...(state === 'UNKNOWN' ? { version: null, seenAt: null } : { version, seenAt }) }));
      return cluster.hosts.map((address) => hostOf(cluster, { address, state: 'STANDALONE', replicaSetName, version, seenAt }));
    },
  };
}

/** Null: nobody answers, or there is nothing to ask. Why is told by whatever backs it up. */
async function asked({ catalog, probe }: Pick<HostsOptions, 'catalog' | 'probe'>, { id }: Cluster): Promise<FoundServer | null> {
  const uri = await catalog.clusters.uriOf(id);
  return uri === null ? null : probe(uri).catch(() => null);
}

function hostOf(cluster: Cluster, { address, ...rest }: { readonly address: string } & Pick<Host, 'state' | 'replicaSetName' | 'version' | 'seenAt'>): Host {
  const [, name, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  const [hostname, number] = [name ?? address, port === undefined ? DEFAULT_PORT : Number(port)];
  return { id: derivedId(`host ${cluster.id} ${hostname}:${number}`), cluster, hostname, port: number, ...rest };
}
