// Stores what a capture that is told to rest has scanned, so that another attempt goes on from it. Bounded in time: what does not fit is not kept.
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { describeError } from '../../../foundation/errors.ts';
import type { ChunkList } from '../../../repository/repository.ts';
import type { CaptureRest } from '../../contracts.ts';
import { bytesOf, documentsOf } from '../../bson/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import { isCapped, type Catalog } from '../collections/catalog.ts';
import type { OplogFollower } from '../oplog/follow-oplog.ts';
import type { RecordFile } from '../scan/record-file.ts';
import { isInStep, type Scan, type ScanUnderWay } from '../scan/scan-collection.ts';
import type { Scans } from '../scan/scan-pending.ts';
import type { SourceIdentity } from '../source-identity.ts';
import { decodeState, encodeState, storeScans, type KeptScan, type RestHead } from './rest-document.ts';

/** What an attempt has at the moment of its rest. Nothing of it moves any more. */
export interface RestingAttempt {
  readonly beganAt: ClusterTime;
  readonly follower: Pick<OplogFollower, 'position' | 'terms'>;
  readonly catalog: Catalog;
  readonly scans: Scans;
  readonly underWay: ReadonlyMap<string, ScanUnderWay>;
  /** Of the rest that it went on from, and not taken over yet: as good as they were. */
  readonly before: ReadonlyMap<string, KeptScan>;
  readonly identity: SourceIdentity;
  readonly selection: RestHead['selection'];
}

interface Kept {
  readonly scan: KeptScan;
  /** To be stored if there is time; null: there are none that are cheap to store. */
  readonly records: RecordFile | null;
}

/** Of the time of a rest, for what can be made again of the chunks; the rest is for what can't. */
const SHARE_OF_RECORDS = 0.4;
const RECORDS_BYTES = 1024 * 1024;

/** @returns null where there is nothing to go on from @throws what the store throws: then nothing is kept */
export async function keepRest(context: CaptureContext, attempt: RestingAttempt, withinMs: number): Promise<CaptureRest | null> {
  const { source, writer, clock } = context;
  const began = clock.monotonicMs();
  const { position, terms } = attempt.follower;
  if (source.seen === null || terms.first === null || terms.last === null) return null;
  const kept = await keepScans(context, attempt);
  if (kept.length === 0) return null;
  const scans = await keepRecords(context, kept, began + withinMs * SHARE_OF_RECORDS);
  const states = scans.map(({ state }) => decodeState(state));
  const counts = {
    collections: scans.length,
    documents: states.reduce((sum, state) => sum + documentsOf(state), 0),
    bytes: states.reduce((sum, state) => sum + bytesOf(state), 0),
  };
  const { documentsTotal, bytesTotal } = context.watch.now;
  const head: RestHead = {
    version: 1, position, seen: source.seen, selection: attempt.selection, ...attempt.identity,
    beganAt: attempt.beganAt, beganTerm: String(terms.first), positionTerm: String(terms.last),
    member: source.member, process: source.process,
    progress: { documentsTotal, bytesTotal, documentsDone: counts.documents, bytesDone: counts.bytes },
    scans: await storeScans(writer, scans),
  };
  await writer.suspend();
  context.log.info({ ...counts, inTheMiddle: scans.filter(({ middle }) => middle !== null).length, withRecords: scans.filter(({ records }) => records !== null).length, ms: Math.round(clock.monotonicMs() - began) }, 'the capture rests');
  return { document: { ...head }, ...counts };
}

async function keepScans(context: CaptureContext, { catalog, scans, underWay, before }: RestingAttempt): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (const collection of catalog.values()) {
    const { uuid } = collection;
    const [scan, middle, earlier] = [scans.get(uuid), underWay.get(uuid), before.get(uuid)];
    if (isCapped(collection)) continue;
    if (scan !== undefined) kept.push(...keepWhole(uuid, scan));
    else if (middle !== undefined) kept.push(...(await keepMiddle(context, uuid, middle)));
    else if (earlier !== undefined) kept.push({ scan: earlier, records: null });
  }
  return kept;
}

function keepWhole(uuid: string, { since, mask, state, list, records }: Scan): readonly Kept[] {
  return since === null ? [] : [{ scan: { uuid, since, mask, state: encodeState(state), list, records: null, middle: null }, records }];
}

async function keepMiddle({ writer, source }: CaptureContext, uuid: string, scan: ScanUnderWay): Promise<readonly Kept[]> {
  const { since, mask, stream, last } = scan;
  if (since === null || last === null || !isInStep(scan) || scan.generation !== source.generation) return [];
  const state = encodeState(stream.state);
  const { list, tail } = await stream.suspend();
  const tailRef = tail.length === 0 ? null : await writer.putChunk(tail, 0);
  const middle = {
    tokens: scan.tokens.newestFirst().toReversed().map((token) => token.toString('base64')),
    last: last.toString('base64'), tail: tailRef?.id.toString('hex') ?? null, tailBytes: tail.length,
  };
  return [{ scan: { uuid, since, mask, state, list, records: null, middle }, records: scan.records }];
}

/** The fewest first, so that most collections have theirs; those that the time is too short for are made again, should they be needed. */
async function keepRecords(context: CaptureContext, kept: readonly Kept[], until: number): Promise<readonly KeptScan[]> {
  const bySize = [...kept].sort((a, b) => documentsOf(decodeState(a.scan.state)) - documentsOf(decodeState(b.scan.state)));
  const scans: KeptScan[] = [];
  for (const { scan, records } of bySize) {
    const isWorth = records !== null && records.front?.isRebuilt !== true;
    scans.push({ ...scan, records: isWorth ? await storeRecords(context, records, until) : scan.records });
  }
  return scans;
}

async function storeRecords({ writer, clock, log }: CaptureContext, records: RecordFile, until: number): Promise<ChunkList | null> {
  const list = writer.openList();
  let gathered: Buffer[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    if (bytes > 0) await list.append(await writer.putChunk(Buffer.concat(gathered), 0));
    gathered = [];
    bytes = 0;
  };
  try {
    for await (const block of records.blocks()) {
      if (clock.monotonicMs() > until) return null;
      gathered.push(Buffer.from(block));
      bytes += block.length;
      if (bytes >= RECORDS_BYTES) await put();
    }
  } catch (error) {
    // Valid fallback: they can be made again. Whatever ended the writer ends the rest at its next step.
    log.info({ reason: describeError(error) }, 'the records of a scan are not kept');
    return null;
  }
  await put();
  return list.finish();
}
