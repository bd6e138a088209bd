// From a bucket of exports to the place that it stands for: an entry of the settings, or what the SDK's own chain finds.
import type { ExportTarget } from '../config/index.ts';
import type { OpenBucketOf } from '../domain/exports.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { openExportStore, type ExportPlace } from '../storage/index.ts';

export function bucketOpener(targets: readonly ExportTarget[]): OpenBucketOf {
  return ({ projectId, bucketName, iamRoleId, isDeclared, region }) => {
    const target = targets.find(({ name }) => name === iamRoleId);
    if (target?.projects?.includes(projectId) === false) {
      throw new LeafvaultError('EXPORT_TARGET_FORBIDDEN', `Opening the export bucket ${bucketName} was refused: the target ${iamRoleId} is kept for other projects`, { details: { name: iamRoleId } });
    }
    // The SDK's own chain would write to a bucket of that name somewhere else, or with another key.
    if (target === undefined && isDeclared === true) {
      throw new LeafvaultError('EXPORT_TARGET_GONE', `Opening the export bucket ${bucketName} was refused: leafvault.yaml has no target ${iamRoleId} any more`, {
        details: { name: iamRoleId }, hint: 'Put the entry back into exportTargets, or make a bucket that names another one',
      });
    }
    return { ...openExportStore(placeOf(target, bucketName, region)), isDeclared: target !== undefined };
  };
}

function placeOf(target: ExportTarget | undefined, bucket: string, region: string | null): ExportPlace {
  if (target === undefined) return { kind: 's3', bucket, endpoint: null, region, credentials: null, pathStyle: true };
  if ('folder' in target) return { kind: 'folder', path: target.folder, bucket };
  const { accessKeyId, secretAccessKey } = target;
  return {
    kind: 's3', bucket, endpoint: target.endpoint ?? null, region: target.region ?? region, pathStyle: target.pathStyle,
    credentials: accessKeyId === undefined || secretAccessKey === undefined ? null : { accessKeyId, secretAccessKey },
  };
}
