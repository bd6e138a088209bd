// Decides whether an attempt goes on from the rest of an earlier one. docs/design/consistency.md, "Rest", gives the conditions.
import { isDeepStrictEqual } from 'node:util';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { describeError } from '../../../foundation/errors.ts';
import type { RepositoryReader } from '../../../repository/repository.ts';
import { documentsOfBatch, toTimestamp } from '../../mongo/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import { isDamagedPart } from '../previous-snapshot.ts';
import { OPLOG } from '../oplog/follow-oplog.ts';
import { parseOplogEntry } from '../oplog/oplog-entry.ts';
import type { SourceIdentity } from '../source-identity.ts';
import type { Source } from '../source.ts';
import { loadScans, type KeptScan, type RestHead } from './rest-document.ts';

/** What an attempt goes on from. */
export interface TakenRest {
  readonly beganAt: ClusterTime;
  readonly scans: Map<string, KeptScan>;
  readonly reader: RepositoryReader;
  /** Of the source, for which tokens are good. */
  readonly generation: number;
}

/** What the caller hands in. */
export interface RestToTake {
  readonly document: Readonly<Record<string, unknown>>;
  readonly reader: RepositoryReader;
}

export interface TakeInput {
  readonly rest: RestToTake;
  readonly identity: SourceIdentity;
  readonly selection: RestHead['selection'];
}

/** What is known of a rest before it is looked at: whom its tokens belong to, and how far it was. */
export function aboutRest(rest: RestToTake | null): Pick<RestHead, 'member' | 'progress'> | null {
  return rest === null ? null : (rest.document as unknown as RestHead);
}

/** @returns words where the capture has to begin anew */
export async function takeRest({ source, log }: Pick<CaptureContext, 'source' | 'log'>, { rest, identity, selection }: TakeInput): Promise<TakenRest | string> {
  const head = rest.document as unknown as RestHead;
  const differs = differenceOf(head, identity, selection);
  if (differs !== null) return differs;
  source.hasSeen(head.seen);
  await source.majorityTime();
  const { generation } = source;
  for (const [time, term] of [[head.beganAt, head.beganTerm], [head.position, head.positionTerm]] as const) {
    if ((await termAt(source, time)) !== term) return 'the oplog no longer holds what was written since it began';
  }
  try {
    const isSame = head.process !== null && source.process === head.process && source.member === head.member;
    const kept = (await loadScans(rest.reader, head.scans)).filter(({ middle }) => middle === null || isSame);
    log.info({ beganAt: head.beganAt, collections: kept.length, sameMember: isSame }, 'the capture goes on from its rest');
    return { beganAt: head.beganAt, scans: new Map(kept.map((scan) => [scan.uuid, scan])), reader: rest.reader, generation };
  } catch (error) {
    if (!isDamagedPart(error)) throw error;
    return `what names the collections that were kept can not be read: ${describeError(error)}`;
  }
}

function differenceOf(head: RestHead, { replicaSetId, featureCompatibilityVersion }: SourceIdentity, selection: RestHead['selection']): string | null {
  if (head.version !== 1) return 'it was kept by another version of Leafvault';
  if (head.replicaSetId !== replicaSetId) return 'the cluster is another replica set now';
  if (head.featureCompatibilityVersion !== featureCompatibilityVersion) return 'the feature compatibility version is another one now';
  return isDeepStrictEqual(head.selection, JSON.parse(JSON.stringify(selection))) ? null : 'what the snapshot takes was changed';
}

/** The term of the entry at exactly this time; null: there is none. */
async function termAt(source: Source, time: ClusterTime): Promise<string | null> {
  const reply = await source.open(OPLOG.db, { find: OPLOG.collection, filter: { ts: toTimestamp(time) }, limit: 1, singleBatch: true, readConcern: { level: 'majority' } });
  const [raw] = [...documentsOfBatch(reply.batch)];
  return raw === undefined ? null : String(parseOplogEntry(raw).term);
}
