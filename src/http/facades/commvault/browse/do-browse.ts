// `DoBrowse`: databases and collections inside of snapshots. What fails is told inside a body that answers 200, where the SDK reads it.
import type { FastifyRequest } from 'fastify';
import { isLeafvaultError, LeafvaultError } from '../../../../foundation/errors.ts';
import type { Snapshot } from '../../../../domain/records.ts';
import type { Services, Subclient } from '../../../../services/contracts.ts';
import { principalOf } from '../../../facade.ts';
import { parameterInAnyCase } from '../../../wire/read-query.ts';
import { wordsOf } from '../errors.ts';
import { snapshotOfJob } from '../jobs.ts';
import { resolveBrowsed } from '../resolve-entity.ts';
import { numberIn, subclientByNumber, type Instance } from '../tree/place.ts';
import { itemsAt, itemsOf, type Item } from './items.ts';
import { presentBrowse, presentBrowseFailure, type Found } from './present-browse.ts';
import { readBrowse, type Browse } from './read-browse.ts';

/** Snapshots that are looked into for the versions of a path, newest first. */
const MOST_VERSIONS = 100;
const TOLD_INSIDE = ['TASK_UNSUPPORTED', 'SNAPSHOT_NOT_FOUND', 'SNAPSHOT_NOT_COMPLETE', 'JOB_NOT_FOUND', 'NAMESPACE_NOT_FOUND'];

interface Place { readonly instance: Instance; readonly subclient: Subclient }

export async function doBrowse(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  return orTold(async () => {
    const browse = readBrowse(request.body);
    return answer(services, request, await resolveBrowsed(services, principal, browse.entity), browse);
  });
}

/** The short form: what is in the newest snapshot of a subclient at `path`. */
export async function browseSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const { place, subclient } = await subclientByNumber(services, principalOf(request), numberIn(request, 'subclient'));
  const path = parameterInAnyCase(request.query, 'path') ?? '';
  return orTold(() => answer(services, request, { instance: place, subclient }, readBrowse({ paths: [{ path }] })));
}

async function answer(services: Services, request: FastifyRequest, place: Place, browse: Browse): Promise<object> {
  const snapshots = browse.kind === 'versions' && browse.jobNumber === null ? await everySnapshot(services, place, browse) : [await oneSnapshot(services, request, place, browse)];
  const found: Found[] = [];
  for (const snapshot of snapshots) {
    const { number } = await services.jobs.get(snapshot.jobId);
    const items = itemsOf(await services.contents.namespaces(place.instance.cluster, snapshot.id));
    found.push(...chosen(items, browse).map((item) => ({ item, snapshot, jobNumber: number })));
  }
  if (found.length === 0) refuseMissing(browse, snapshots);
  return presentBrowse(found, browse);
}

/** By its job, or the newest between two times. @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE, JOB_NOT_FOUND */
async function oneSnapshot(services: Services, request: FastifyRequest, { instance: { cluster }, subclient }: Place, { jobNumber, from, until }: Browse): Promise<Snapshot> {
  if (jobNumber !== null) return snapshotOfJob(services, principalOf(request), cluster, jobNumber);
  const newest = await services.snapshots.newestOf(subclient, until);
  if (isWithin(newest, from, null)) return newest;
  const id = `newest since ${from?.toISOString() ?? ''}`;
  throw new LeafvaultError('SNAPSHOT_NOT_FOUND', `Browsing cluster ${cluster.name} failed: no snapshot is so new`, { details: { id, clusterId: cluster.id } });
}

/** Of whatever subclient. */
async function everySnapshot({ snapshots }: Services, { instance: { cluster } }: Place, { from, until }: Browse): Promise<readonly Snapshot[]> {
  const kept: Snapshot[] = [];
  for (let pageNumber = 1; kept.length < MOST_VERSIONS; pageNumber += 1) {
    const { items } = await snapshots.list(cluster.id, { pageNumber, itemsPerPage: MOST_VERSIONS }, { completedOnly: true });
    if (items.length === 0) break;
    kept.push(...items.filter((each) => isWithin(each, from, until)));
  }
  return kept.slice(0, MOST_VERSIONS);
}

function isWithin({ capturedAt, requestedAt }: Snapshot, from: Date | null, until: Date | null): boolean {
  const at = capturedAt ?? requestedAt;
  return (from === null || at >= from) && (until === null || at <= until);
}

/** Of several paths together, each item once. */
function chosen(items: readonly Item[], { kind, paths }: Browse): readonly Item[] {
  const wanted = new Set(paths.flatMap((path) => itemsAt(items, path, kind === 'find')));
  return items.filter((item) => wanted.has(item));
}

/** A path that is written out and not there is a mistake; a pattern that nothing fits is an answer. */
function refuseMissing({ paths }: Browse, [snapshot]: readonly Snapshot[]): void {
  const name = paths.find((path) => /[^/\\]/.test(path) && !/[*?]/.test(path));
  if (name === undefined) return;
  throw new LeafvaultError('NAMESPACE_NOT_FOUND', `Browsing ${name} failed: it is in no snapshot that was looked into`, { details: { name, id: snapshot?.id ?? '' } });
}

async function orTold(answering: () => Promise<object>): Promise<object> {
  try {
    return await answering();
  } catch (error) {
    if (!isLeafvaultError(error) || !TOLD_INSIDE.includes(error.code)) throw error;
    return presentBrowseFailure(wordsOf(error));
  }
}
