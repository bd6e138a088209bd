// The tree that clients walk: clients, the one agent, instances, backup sets, subclients. What one may not see is not there.
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../../../domain/roles.ts';
import type { Services } from '../../../../services/contracts.ts';
import { principalOf, type FacadeContext } from '../../../facade.ts';
import { readEveryPage } from '../../../wire/read-every-page.ts';
import { instanceByNumber, notFound, numberIn, placesOf, readTreeFilter, subclientByNumber, type Place, APPLICATION_ID } from './place.ts';
import { clientEntity, presentAgent, presentBackupset, presentClient, presentInstance, presentSubclient, TIME_ZONE, type ClientPlace } from './present-tree.ts';

export async function listClients(services: Services, request: FastifyRequest): Promise<object> {
  // Virtual machines are asked for in the same place; there are none.
  const kind = Object.keys((request.query ?? {}) as object).find((name) => name.toLowerCase() === 'pseudoclienttype');
  if (kind !== undefined) return { VSPseudoClientsList: [] };
  const clients = await visibleClients(services, principalOf(request));
  return { clientProperties: clients.map((each) => ({ client: { clientEntity: clientEntity(each) } })) };
}

export async function getClient(services: Services, request: FastifyRequest): Promise<object> {
  const number = numberIn(request, 'client');
  const client = (await visibleClients(services, principalOf(request))).find(({ clientId }) => clientId === number);
  if (client === undefined) throw notFound('client', String(number));
  return { clientProperties: [presentClient(client)] };
}

/** The one agent of every client. */
export async function listAgents(services: Services, request: FastifyRequest): Promise<object> {
  const { clientId, applicationId } = readTreeFilter(request);
  const clients = await visibleClients(services, principalOf(request));
  const chosen = applicationId === null || applicationId === APPLICATION_ID ? clients.filter((each) => clientId === null || each.clientId === clientId) : [];
  return { agentProperties: chosen.map(presentAgent) };
}

export async function listInstances(services: Services, request: FastifyRequest): Promise<object> {
  const places = await placesOf(services, principalOf(request), readTreeFilter(request));
  return { instanceProperties: places.map(presentInstance) };
}

export async function getInstance(services: Services, request: FastifyRequest): Promise<object> {
  return { instanceProperties: [presentInstance(await instanceByNumber(services, principalOf(request), 'cluster', numberIn(request, 'instance')))] };
}

export async function listBackupsets(services: Services, request: FastifyRequest): Promise<object> {
  const places = await placesOf(services, principalOf(request), readTreeFilter(request));
  return { backupsetProperties: places.map(presentBackupset) };
}

export async function getBackupset(services: Services, request: FastifyRequest): Promise<object> {
  return { backupsetProperties: [presentBackupset(await instanceByNumber(services, principalOf(request), 'backupset', numberIn(request, 'backup set')))] };
}

export async function listSubclients(services: Services, request: FastifyRequest): Promise<object> {
  const filter = readTreeFilter(request);
  const shown: object[] = [];
  for (const place of await placesOf(services, principalOf(request), filter)) shown.push(...await subclientsAt(services, place, filter.subclientId));
  return { subClientProperties: shown };
}

export async function getSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const number = numberIn(request, 'subclient');
  const { place, subclient } = await subclientByNumber(services, principalOf(request), number);
  return { subClientProperties: [presentSubclient(place, subclient, { number, nextBackupAt: await nextBackupAt(services, place, subclient.isDefault) })] };
}

/** Who this server says it is; the version is that of the vendor's whose answers these are. */
export async function getCommServ({ version }: FacadeContext): Promise<object> {
  return {
    hostName: 'leafvault', currentSPVersion: 36, csVersionInfo: '11.36.0', releaseName: `Leafvault ${version.versionString}`, timeZone: '0:0:(UTC) Coordinated Universal Time', csTimeZone: TIME_ZONE,
    commcell: { csGUID: version.gitHash, commCellName: 'leafvault', commCellId: 2 },
  };
}

async function subclientsAt(services: Services, place: Place, only: number | null): Promise<readonly object[]> {
  const shown: object[] = [];
  for (const subclient of await services.subclients.list(place.cluster.id)) {
    const number = await services.numbers.numberOf('subclient', subclient.id);
    if (only === null || only === number) shown.push(presentSubclient(place, subclient, { number, nextBackupAt: await nextBackupAt(services, place, subclient.isDefault) }));
  }
  return shown;
}

async function nextBackupAt({ schedules }: Services, { cluster }: Place, isDefault: boolean): Promise<Date | null> {
  return isDefault ? (await schedules.get(cluster)).nextSnapshotAt : null;
}

/** Also those without a cluster. */
async function visibleClients({ inventory, numbers }: Services, principal: Principal): Promise<readonly ClientPlace[]> {
  const projects = await readEveryPage((page) => inventory.projects(principal, page));
  const clients: ClientPlace[] = [];
  for (const project of projects) clients.push({ project, clientId: await numbers.numberOf('project', project.id) });
  return clients;
}
