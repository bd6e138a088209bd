// How far back an oplog reaches.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Source } from '../backup/source.ts';
import { documentsOfBatch } from '../mongo/index.ts';
import { parseOplogEntry } from '../backup/oplog/oplog-entry.ts';

export interface OplogSpan {
  /** The entry that goes next when the oplog is full. */
  readonly oldest: ClusterTime;
  readonly newest: ClusterTime;
}

/** Of the member that is read. @throws SOURCE_READ_FAILED for an empty oplog */
export async function readOplogSpan(source: Source): Promise<OplogSpan> {
  return { oldest: await timeAtEnd(source, 1), newest: await timeAtEnd(source, -1) };
}

async function timeAtEnd(source: Source, natural: 1 | -1): Promise<ClusterTime> {
  const reply = await source.open('local', { find: 'oplog.rs', sort: { $natural: natural }, projection: { ts: 1, op: 'n' }, limit: 1, singleBatch: true });
  for (const raw of documentsOfBatch(reply.batch)) return parseOplogEntry(raw).time;
  throw new LeafvaultError('SOURCE_READ_FAILED', `Reading the oplog of ${source.member} failed: it is empty`);
}
