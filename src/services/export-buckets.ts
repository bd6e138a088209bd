// Buckets of exports: making one that can be written to, looking at them, taking one away.
import type { CatalogStore } from '../catalog/index.ts';
import { isBucketName, PERMISSION_CHECK, type ExportBucket, type OpenBucketOf } from '../domain/exports.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Clock } from '../foundation/clock.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { ExportBuckets } from './contracts.ts';
import { isStorable } from './storable.ts';

export interface ExportBucketsOptions {
  readonly catalog: Pick<CatalogStore, 'exportBuckets' | 'transaction'>;
  readonly clock: Clock;
  readonly openBucket: OpenBucketOf;
}

const NOTHING = new Uint8Array();

export function createExportBuckets({ catalog, clock, openBucket }: ExportBucketsOptions): ExportBuckets {
  const find = async (projectId: string, id: string): Promise<ExportBucket> => {
    const found = isId(id) ? await catalog.exportBuckets.get(id) : null;
    if (found?.projectId !== projectId) throw bucketNotFound(id);
    return found;
  };
  return {
    async create({ project, bucketName, iamRoleId }) {
      if (!isBucketName(bucketName)) throw new LeafvaultError('EXPORT_BUCKET_INVALID', `Making the export bucket ${JSON.stringify(bucketName)} was refused: no bucket can have that name`, { details: { name: bucketName } });
      if (!isStorable(iamRoleId)) throw new LeafvaultError('TEXT_NOT_STORABLE', 'Keeping iamRoleId failed: it holds U+0000 or half a character, which cannot be stored', { details: { name: 'iamRoleId' } });
      const place = { projectId: project.id, bucketName, iamRoleId };
      const proven = await prove(openBucket, place);
      return catalog.exportBuckets.insert({ ...place, ...proven, id: newId(clock.now()) });
    },
    list: (projectId, page) => catalog.exportBuckets.list(projectId, page),
    get: find,
    async delete({ project, id }) {
      await find(project.id, id);
      await catalog.transaction(async (tx) => {
        if ((await tx.exportBuckets.holdToDelete(id)) === null) throw bucketNotFound(id);
        const user = await tx.exportBuckets.userOf(id);
        if (user !== null) throw new LeafvaultError('EXPORT_BUCKET_IN_USE', `Deleting the export bucket ${id} was refused: ${user}`, { details: { id, reason: user }, hint: 'Take it out of the schedules, and wait for the exports' });
        await tx.exportBuckets.delete(id);
      });
    },
  };
}

export function bucketNotFound(id: string): LeafvaultError {
  return new LeafvaultError('EXPORT_BUCKET_NOT_FOUND', `Reading the export bucket ${id} failed: there is none`, { details: { id } });
}

/** @throws EXPORT_BUCKET_UNREACHABLE where nothing can be written */
async function prove(openBucket: OpenBucketOf, place: Pick<ExportBucket, 'projectId' | 'bucketName' | 'iamRoleId'>): Promise<Pick<ExportBucket, 'region' | 'isDeclared'>> {
  try {
    const bucket = openBucket({ ...place, region: null, isDeclared: null });
    try {
      await bucket.put(PERMISSION_CHECK, NOTHING);
      return { region: bucket.region, isDeclared: bucket.isDeclared };
    } finally {
      await bucket.close();
    }
  } catch (cause) {
    const reason = cause instanceof LeafvaultError ? cause.message : 'it cannot be opened';
    throw new LeafvaultError('EXPORT_BUCKET_UNREACHABLE', `Making the export bucket ${place.bucketName} was refused: ${reason}`, {
      cause, details: { name: place.bucketName, reason }, hint: 'iamRoleId names an entry of exportTargets in leafvault.yaml, or the SDK\'s own chain has to find endpoint and key: docs/guides/exports.md',
    });
  }
}
