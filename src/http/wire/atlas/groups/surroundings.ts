// What the vendor's cloud has around a group and a group of one's own clusters has not: answered as it is here.
import { isIP } from 'node:net';
import type { Cluster } from '../../../../domain/records.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readEveryPage } from '../../read-every-page.ts';

/** Teams, network containers, cloud regions: there are none. */
export async function listNothing(call: ProjectCall): Promise<Answer> {
  return { kind: 'list', page: call.page(), totalCount: 0, results: [] };
}

/** No limit is kept for a group. */
export async function listLimits(): Promise<Answer> {
  return { kind: 'one', body: [] };
}

/** None of these is offered. All six have to be there: the Terraform provider reads each without asking. */
export async function getSettings(): Promise<Answer> {
  return {
    kind: 'one',
    body: {
      isCollectDatabaseSpecificsStatisticsEnabled: false,
      isDataExplorerEnabled: false,
      isExtendedStorageSizesEnabled: false,
      isPerformanceAdvisorEnabled: false,
      isRealtimePerformancePanelEnabled: false,
      isSchemaAdvisorEnabled: false,
    },
  };
}

/** Slow operations are judged by each server's own settings. */
export async function getManagedSlowMs(): Promise<Answer> {
  return { kind: 'one', body: false };
}

/** Of hosts that are known by address; a name may mean any. */
export async function getIpAddresses(call: ProjectCall): Promise<Answer> {
  const clusters = await readEveryPage((page) => call.services.inventory.clusters(call.project.id, page));
  return { kind: 'one', body: { groupId: call.project.id, services: { clusters: clusters.map(addressesOf) } } };
}

function addressesOf({ name, hosts }: Cluster): object {
  const addresses = hosts.map((host) => host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')).filter((host) => isIP(host) !== 0);
  return { clusterName: name, inbound: [...new Set(addresses)], outbound: [] };
}
