// What a capture takes over from the snapshot before: the member, and where each collection was cut.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CaptureOptions, CollectionBody, SnapshotBody } from '../contracts.ts';
import { joinNamespace } from '../mongo/index.ts';

const DAMAGE: ReadonlySet<string> = new Set(['REPOSITORY_OBJECT_DAMAGED', 'REPOSITORY_CHUNK_DAMAGED', 'REPOSITORY_CHUNK_MISSING', 'REPOSITORY_CHUNK_UNSUPPORTED', 'REPOSITORY_FORMAT_NEWER']);

export interface PreviousSnapshot {
  readonly member: string | null;
  /** The mask of a collection by its UUID, else by its name (a restore gives new UUIDs). */
  cutMask(uuid: string, namespace: string): number | null;
}

/** What can't be read of it costs dedup, not the new snapshot: damage of an old one must not end backups. */
export async function readPrevious(previous: CaptureOptions['previous'], log: Logger): Promise<PreviousSnapshot> {
  const masks = new Map<string, number>();
  if (previous === null) return { member: null, cutMask: () => null };
  try {
    for await (const entry of previous.reader.entries(previous.root)) {
      const body = entry.body as unknown as CollectionBody;
      if (typeof body.cutMask !== 'number' || body.kind === 'view') continue;
      masks.set(joinNamespace(body.db, body.name), body.cutMask);
      if (body.uuid !== null) masks.set(body.uuid, body.cutMask);
    }
  } catch (error) {
    if (!isLeafvaultError(error) || !DAMAGE.has(error.code)) throw error;
    log.warn({ snapshot: previous.root.id, reason: error.message }, 'the previous snapshot is damaged; where its collections were cut is not known of all of them');
  }
  const { source } = previous.root.body as unknown as SnapshotBody;
  return { member: source.member, cutMask: (uuid, namespace) => masks.get(uuid) ?? masks.get(namespace) ?? null };
}
