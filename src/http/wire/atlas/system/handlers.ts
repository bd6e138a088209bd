// Atlas about itself and about who asks: status, rate limits, the client's own address.
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { Call } from '../../mms-routes.ts';
import { presentAccessEntry } from '../credentials/present.ts';
import { RATE } from '../limit-rate.ts';

const METHODS = ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'] as const;
/** There is one limit, for everything below the API. */
const ENDPOINT_SET = 'all';

/** `apiKey` stands for the key that asks; a service account has none. */
export async function getSystemStatus(call: Call): Promise<Answer> {
  return {
    kind: 'one',
    body: {
      apiKey: call.principal.kind === 'apiKey' ? await ownKey(call) : undefined,
      appName: 'MongoDB Atlas',
      build: call.build,
      links: [{ rel: 'self', href: call.root }],
      throttling: false,
    },
  };
}

async function ownKey({ principal: { id, orgId }, services }: Call): Promise<object> {
  const key = await services.administration.credentials.get({ kind: 'apiKey', place: { orgId, projectId: null }, reference: id });
  return {
    accessList: key.accessList.map(presentAccessEntry).map(({ cidrBlock, ipAddress }) => ({ cidrBlock, ipAddress: ipAddress ?? cidrBlock.split('/')[0] })),
    id,
    publicKey: key.publicName,
    roles: key.grants.map(({ role, orgId: at, projectId }) => ({ groupId: projectId, orgId: at, roleName: role })),
  };
}

export async function listRateLimits(call: Call): Promise<Answer> {
  const page = call.page();
  return { kind: 'list', page, totalCount: 1, results: page.pageNumber === 1 ? [endpointSet(call)] : [] };
}

export async function getRateLimit(call: Call): Promise<Answer> {
  const id = call.params['endpointSetId'];
  if (id !== ENDPOINT_SET) throw new LeafvaultError('ENDPOINT_SET_UNKNOWN', `Reading a rate limit failed: there is no endpoint set ${id ?? ''}`, { details: { id } });
  return { kind: 'one', body: endpointSet(call) };
}

function endpointSet({ root, origin }: Call): object {
  const same = (value: number): object => ({ defaultValue: value, value });
  return {
    capacity: same(RATE.limit),
    endpointSetId: ENDPOINT_SET,
    endpointSetName: 'Everything below the API',
    endpoints: METHODS.map((method) => ({ method, path: `${root.slice(origin.length)}/**` })),
    refillDurationSeconds: same(1),
    refillRate: same(RATE.refillPerSecond),
    scope: 'USER',
  };
}

/** The vendor's words for the address that a server sees. */
export async function getIpInfo(call: Call): Promise<Answer> {
  return { kind: 'one', body: call.address.includes(':') ? { currentIpv6Address: call.address } : { currentIpv4Address: call.address } };
}
