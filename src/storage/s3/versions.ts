// Every version of every object, those that were deleted among them, name by name.
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { LeafvaultError } from '../../foundation/errors.ts';
import { isObjectName } from '../object-name.ts';
import { listPage, type Bucket } from './bucket.ts';

export interface ObjectVersion {
  readonly versionId: string;
  readonly sizeBytes: number;
  /** In whole seconds, as the server has it. */
  readonly modifiedAt: Date;
  /** It says that the object was deleted, and holds nothing. */
  readonly isMarker: boolean;
  readonly isLatest: boolean;
  /** The same for the same bytes that were put in the same way. */
  readonly tag: string;
}

export interface Versions {
  readonly name: string;
  /** The newest first. */
  readonly versions: readonly ObjectVersion[];
}

type Row = ObjectVersion & { readonly key: string };

/** In order of their names. @throws what listing fails with */
export async function* listVersions(bucket: Bucket, wanted: string): AsyncGenerator<Versions> {
  let open: Row[] = [];
  for await (const rows of pages(bucket, wanted)) {
    for (const row of rows) {
      // The versions of a name may go on with the next page.
      if (open.length > 0 && open[0]?.key !== row.key) {
        yield* versionsOf(bucket, open);
        open = [];
      }
      open.push(row);
    }
  }
  yield* versionsOf(bucket, open);
}

async function* pages({ client, Bucket, text, keyOf }: Bucket, wanted: string): AsyncGenerator<readonly Row[]> {
  let marks: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
  for (;;) {
    const page = await listPage({ text }, wanted, () => client.send(new ListObjectVersionsCommand({ Bucket, Prefix: keyOf(wanted), ...marks })));
    const row = (isMarker: boolean) => ({ Key = '', VersionId = '', Size = 0, LastModified, IsLatest = false, ETag = '' }: { Key?: string; VersionId?: string; Size?: number; LastModified?: Date; IsLatest?: boolean; ETag?: string }): Row => ({
      key: Key, versionId: VersionId, sizeBytes: Size, modifiedAt: LastModified ?? new Date(0), isMarker, isLatest: IsLatest, tag: ETag,
    });
    const rows = [...(page.Versions ?? []).map(row(false)), ...(page.DeleteMarkers ?? []).map(row(true))];
    yield rows.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
    if (page.IsTruncated !== true) return;
    if (page.NextKeyMarker === undefined) throw new LeafvaultError('STORAGE_FAILED', `Listing ${wanted} at ${text} failed: the server says that there is more, and not how to go on`, { retryable: true });
    marks = { KeyMarker: page.NextKeyMarker, ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }) };
  }
}

/** Of two in one second, what is there counts as the newer one, unless the server says which is: nothing is lost by a clock that is too coarse. */
function versionsOf({ nameOf }: Bucket, rows: readonly Row[]): Versions[] {
  const name = nameOf(rows[0]?.key ?? '');
  if (rows.length === 0 || !isObjectName(name)) return [];
  const versions = [...rows].sort((a, b) => Number(b.isLatest) - Number(a.isLatest) || b.modifiedAt.getTime() - a.modifiedAt.getTime() || Number(a.isMarker) - Number(b.isMarker));
  return [{ name, versions }];
}
