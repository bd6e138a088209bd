// Whole snapshots of one instance: what a restore may name.
import type { FastifyRequest } from 'fastify';
import { isLeafvaultError, LeafvaultError } from '../../../../foundation/errors.ts';
import type { Services } from '../../../../services/contracts.ts';
import { principalOf } from '../../../facade.ts';
import { readBody } from '../../../wire/read-body.ts';
import { readEveryPage } from '../../../wire/read-every-page.ts';
import { presentSnapshotItem } from '../present.ts';
import { browseBody } from '../schemas.ts';
import { instanceByNumber, type Place } from '../tree/place.ts';

/** Newest first; between two times where they are given. */
export async function browseSnapshots(services: Services, request: FastifyRequest): Promise<object> {
  const { entity, startTime = 0, endTime = 0 } = readBody(browseBody, request.body);
  const place = await placeAt(services, request, entity.instanceId);
  const all = await readEveryPage((page) => services.snapshots.list(place.cluster.id, page, { completedOnly: true }));
  const isWithin = (at: number): boolean => at >= startTime * 1000 && (endTime === 0 || at < (endTime + 1) * 1000);
  const shown = all.filter(({ capturedAt, requestedAt }) => isWithin((capturedAt ?? requestedAt).getTime()));
  return { snapList: shown.map((each) => presentSnapshotItem(each, place)) };
}

async function placeAt(services: Services, request: FastifyRequest, instanceId: number): Promise<Place> {
  try {
    return await instanceByNumber(services, principalOf(request), 'cluster', instanceId);
  } catch (cause) {
    if (!isLeafvaultError(cause, 'ENTITY_UNKNOWN')) throw cause;
    throw new LeafvaultError('CLUSTER_NOT_FOUND', `Browsing instance ${instanceId} failed: it is not visible`, { cause, details: { id: instanceId } });
  }
}
