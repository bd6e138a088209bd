// What a capture takes over from the snapshot before: the member, and where each collection was cut.
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CaptureOptions, CollectionBody, SnapshotBody } from '../contracts.ts';
import type { ChunkList, ChunkRef } from '../../repository/repository.ts';
import { joinNamespace } from '../mongo/index.ts';

const DAMAGE: ReadonlySet<string> = new Set(['REPOSITORY_OBJECT_DAMAGED', 'REPOSITORY_CHUNK_DAMAGED', 'REPOSITORY_CHUNK_MISSING', 'REPOSITORY_CHUNK_UNSUPPORTED', 'REPOSITORY_FORMAT_NEWER']);

/** True for what says that a part of the repository is damaged, or gone. */
export function isDamagedPart(error: unknown): error is LeafvaultError {
  return isLeafvaultError(error) && DAMAGE.has(error.code);
}

const EMPTY: ChunkList = { root: null, height: 0, chunks: 0, records: 0, rawBytes: 0 };

export interface PreviousSnapshot {
  readonly member: string | null;
  /** A collection by its UUID, else by its name (a restore gives new UUIDs). */
  collection(uuid: string, namespace: string): PreviousCollection | null;
}

export interface PreviousCollection {
  /** How it was cut. */
  readonly mask: number;
  /** What its scan was cut into, in order. @throws what reading the pages of the list throws */
  readonly chunks: () => AsyncIterable<ChunkRef>;
}

/** What can't be read of it costs dedup, not the new snapshot: damage of an old one must not end backups. */
export async function readPrevious(previous: CaptureOptions['previous'], log: Logger): Promise<PreviousSnapshot> {
  const known = new Map<string, { readonly mask: number; readonly scan: ChunkList }>();
  if (previous === null) return { member: null, collection: () => null };
  try {
    for await (const entry of previous.reader.entries(previous.root)) {
      const body = entry.body as unknown as CollectionBody;
      if (typeof body.cutMask !== 'number' || body.kind === 'view') continue;
      const one = { mask: body.cutMask, scan: entry.lists['scan'] ?? EMPTY };
      known.set(joinNamespace(body.db, body.name), one);
      if (body.uuid !== null) known.set(body.uuid, one);
    }
  } catch (error) {
    if (!isDamagedPart(error)) throw error;
    log.warn({ snapshot: previous.root.id, reason: error.message }, 'the previous snapshot is damaged; where its collections were cut is not known of all of them');
  }
  const { source } = previous.root.body as unknown as SnapshotBody;
  return {
    member: source.member,
    collection(uuid, namespace) {
      const one = known.get(uuid) ?? known.get(namespace);
      return one === undefined ? null : { mask: one.mask, chunks: () => previous.reader.refs(one.scan) };
    },
  };
}
