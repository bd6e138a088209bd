// Hosts: the servers of the clusters, asked now. What the vendor kept for config servers of old is refused for each of them.
import { cutPage } from '../../../domain/cut-page.ts';
import type { Cluster } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { Host } from '../../../services/contracts.ts';
import type { Answer } from '../../wire/answer.ts';
import type { ProjectCall } from '../../wire/mms-routes.ts';
import { readEveryPage } from '../../wire/read-every-page.ts';
import { readId } from '../../wire/read-id.ts';
import { parameter } from '../../wire/read-query.ts';
import { presentAutomationConfig, presentHost } from './present-hosts.ts';

/** Clusters that are asked at once. */
const AT_ONCE = 8;

export async function listHosts(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const clusterId = parameter(call.query, 'clusterId');
  const clusters = clusterId === undefined ? await clustersOf(call) : [await call.services.inventory.clusterById(call.project.id, readId('cluster', clusterId))];
  const { items, totalCount } = cutPage(await hostsOf(call, clusters), page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentHost(each, call.root)) };
}

export async function getHost(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentHost(await hostOf(call), call.root) };
}

/** `name:port`; a host of several clusters is told of the first. @throws HOST_NOT_FOUND */
export async function getHostByName(call: ProjectCall): Promise<Answer> {
  const name = call.params['hostName'] ?? '';
  const host = await findHost(call, name, ({ hostname, port }) => `${hostname}:${port}` === name);
  return { kind: 'one', body: presentHost(host, call.root) };
}

/** Snapshots and restore jobs hang on a host only where it is a config server of three mirrored ones, which MongoDB gave up with 3.4. @throws NOT_CONFIG_SERVER, HOST_NOT_FOUND */
export async function refuseHost(call: ProjectCall): Promise<Answer> {
  const { id, hostname } = await hostOf(call);
  throw new LeafvaultError('NOT_CONFIG_SERVER', `Reading backups of host ${hostname} failed: it is no config server`, { details: { id } });
}

/** As much of it as clients read to learn of clusters; nothing is automated here. */
export async function getAutomationConfig(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentAutomationConfig(await hostsOf(call, await clustersOf(call))) };
}

function clustersOf(call: ProjectCall): Promise<readonly Cluster[]> {
  return readEveryPage((page) => call.services.inventory.clusters(call.project.id, page));
}

async function hostsOf(call: ProjectCall, clusters: readonly Cluster[]): Promise<readonly Host[]> {
  const found: Host[] = [];
  for (let at = 0; at < clusters.length; at += AT_ONCE) {
    for (const hosts of await Promise.all(clusters.slice(at, at + AT_ONCE).map((each) => call.services.hosts.ofCluster(each)))) found.push(...hosts);
  }
  return found;
}

/** @throws HOST_NOT_FOUND */
async function hostOf(call: ProjectCall): Promise<Host> {
  const id = readId('host', call.params['hostId']);
  return findHost(call, id, (each) => each.id === id);
}

/** Clusters that name such a host are asked alone; the others only where none of these has it, since a set may have members that nobody named. */
async function findHost(call: ProjectCall, named: string, matches: (host: Host) => boolean): Promise<Host> {
  const clusters = await clustersOf(call);
  const likely = clusters.filter((each) => call.services.hosts.known(each).some(matches));
  const others = clusters.filter((each) => !likely.includes(each));
  return (await hostsOf(call, likely)).find(matches) ?? (await hostsOf(call, others)).find(matches) ?? failWithout(named);
}

function failWithout(id: string): never {
  throw new LeafvaultError('HOST_NOT_FOUND', `Reading host ${id} failed: there is none`, { details: { id } });
}
