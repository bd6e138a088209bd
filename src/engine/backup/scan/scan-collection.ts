// Reads one collection from its first to its last document in natural order, by UUID, and stores it as chunks.
// Survives lost cursors by resume tokens of the same member; a lost member means that the collection begins again.
import { join } from 'node:path';
import { Binary, type Document } from 'mongodb';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { throwIfAborted } from '../../../foundation/abort.ts';
import { describeError, LeafvaultError } from '../../../foundation/errors.ts';
import type { ChunkList, ChunkRef } from '../../../repository/repository.ts';
import { bytesOf, chooseCutMask, documentsOf, type HashState } from '../../bson/index.ts';
import { toTimestamp, type RawReply } from '../../mongo/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import { asReadError, isTransient, serverCode } from '../source.ts';
import { createChunkStream, type ChunkStream } from './chunk-stream.ts';
import { createNearWalk } from './near-walk.ts';
import { createRecordFile, type RecordFile } from './record-file.ts';
import { createTokenRing, KEY_NOT_FOUND, stepBack, tokenCommand, type ResumeToken } from './resume-token.ts';

export interface ScanTarget {
  /** 32 hex digits, or null where the server has none: then it is found by name. */
  readonly uuid: string | null;
  readonly db: string;
  readonly name: string;
  /** For messages and progress. */
  readonly label: string;
  /** Cut mask of the previous snapshot, null when there is none. */
  readonly mask: number | null;
  /** Its chunks in order, where it was cut by that mask, too. */
  readonly old: (() => AsyncIterable<ChunkRef>) | null;
  readonly averageBytes: number | null;
}

export interface Scan {
  readonly list: ChunkList;
  readonly state: HashState;
  /** Null where nothing will be settled. */
  readonly records: RecordFile | null;
  readonly mask: number;
}

export interface ScanOptions {
  /** Called at every beginning: from the time it gives on, changes are noted. Null: nobody follows the oplog. */
  readonly begin: () => ClusterTime | null;
  readonly keepRecords: boolean;
}

interface Place {
  readonly stream: ChunkStream;
  readonly generation: number;
  readonly find: { readonly db: string; readonly find: unknown; readonly readConcern: Document };
  readonly tokens: ReturnType<typeof createTokenRing>;
  last: ResumeToken | null;
}

/** A cursor whose batches can't be stored for so long is given back; the scan goes on by its token. */
const GIVE_BACK_AFTER_MS = 15_000;
const BEGINNINGS = 8;
const FAILURES_IN_PLACE = 10;
const NAMESPACE_NOT_FOUND = 26;
const CAPPED_POSITION_LOST = 136;
/** CursorNotFound, QueryPlanKilled, CursorKilled, Interrupted */
const CURSOR_LOST = new Set([43, 175, 237, 11601]);

/** @returns null when the collection is gone @throws LeafvaultError CAPTURE_COLLECTION_UNREADABLE */
export async function scanCollection(context: CaptureContext, target: ScanTarget, options: ScanOptions): Promise<Scan | null> {
  const records = options.keepRecords ? createRecordFile(join(context.folder, `scan-${fileName(target)}`)) : null;
  for (let beginning = 1; beginning <= BEGINNINGS; beginning += 1) {
    await records?.clear();
    const since = options.begin();
    const outcome = await scanOnce(context, target, { since, records });
    if (outcome === 'again') continue;
    if (outcome === 'gone') await records?.clear();
    return outcome === 'gone' ? null : outcome;
  }
  throw new LeafvaultError('CAPTURE_COLLECTION_UNREADABLE', `Reading ${target.label} failed: it began ${BEGINNINGS} times and never came to an end`, {
    details: { namespace: target.label },
    hint: 'A capped collection that is overwritten faster than it is read, or members that change all the time, can cause this',
  });
}

async function scanOnce(context: CaptureContext, target: ScanTarget, run: { readonly since: ClusterTime | null; readonly records: RecordFile | null }): Promise<Scan | 'again' | 'gone'> {
  const mask = target.mask ?? chooseCutMask(target.averageBytes ?? 1024);
  const place: Place = {
    stream: createChunkStream(context.writer, mask, target.old === null ? null : createNearWalk(target.old(), (error) => tellNoBases(context, target, error))),
    generation: context.source.generation,
    tokens: createTokenRing(),
    last: null,
    find: { db: target.db, find: target.uuid === null ? target.name : uuidBinary(target.uuid), readConcern: readConcernSince(run.since) },
  };
  for (let failures = 0; ; failures += 1) {
    const before = documentsOf(place.stream.state);
    try {
      if (context.source.generation !== place.generation) return 'again';
      await readToEnd(context, target, { place, records: run.records });
      await run.records?.finish();
      context.log.debug({ db: target.db, uuid: target.uuid, documents: documentsOf(place.stream.state) }, 'scanned');
      return { list: await place.stream.finish(), state: place.stream.state, records: run.records, mask };
    } catch (error) {
      throwIfAborted(context.signal);
      if (documentsOf(place.stream.state) > before) failures = 0;
      const next = await afterFailure(context, place, error);
      context.log.debug({ namespace: target.label, uuid: target.uuid, next, reason: describeError(error) }, 'a scan was interrupted');
      if (next === 'gone' || next === 'again') return next;
      if (next === 'fatal' || failures >= FAILURES_IN_PLACE) throw asReadError(error, `Reading ${target.label}`, context.source.member);
    }
  }
}

/** Costs bytes, not the snapshot: damage of an old one must not end backups. */
function tellNoBases({ log }: CaptureContext, { label }: ScanTarget, error: unknown): void {
  log.warn({ namespace: label, reason: describeError(error) }, 'the list of the previous snapshot can not be read; what changed is stored whole');
}

/** What a failed read means: go on from the last token, begin again, or give up. */
async function afterFailure(context: CaptureContext, place: Place, error: unknown): Promise<'on' | 'again' | 'gone' | 'fatal'> {
  const code = serverCode(error);
  if (code === NAMESPACE_NOT_FOUND) return 'gone';
  if (code === CAPPED_POSITION_LOST) return 'again';
  if (isTransient(error)) await context.source.recover(place.generation);
  else if (code === KEY_NOT_FOUND && place.last !== null) return stepBackInto(context, place, place.last);
  else if (!CURSOR_LOST.has(code ?? 0)) return 'fatal';
  if (context.source.generation !== place.generation) return 'again';
  // Without a token there is no place to go on from.
  return place.last === null && documentsOf(place.stream.state) > 0 ? 'again' : 'on';
}

async function stepBackInto(context: CaptureContext, place: Place, last: ResumeToken): Promise<'on' | 'again'> {
  place.last = await stepBack(context.source, place.find, place.tokens.newestFirst(), last);
  return place.last === null ? 'again' : 'on';
}

async function readToEnd(context: CaptureContext, target: ScanTarget, run: { readonly place: Place; readonly records: RecordFile | null }): Promise<void> {
  const { source } = context;
  const { place } = run;
  let reply = await source.open(place.find.db, {
    find: place.find.find,
    hint: { $natural: 1 },
    readConcern: place.find.readConcern,
    batchSize: batchSize(context, place.stream, target),
    ...(target.uuid === null ? {} : { $_requestResumeToken: true }),
    ...(place.last === null ? {} : { $_resumeAfter: tokenCommand(place.last) }),
  });
  const cursor = { id: reply.cursorId, collection: reply.namespace.slice(reply.namespace.indexOf('.') + 1) };
  for (;;) {
    const next: Promise<RawReply> | null = reply.cursorId === 0n ? null : source.more(target.db, cursor, { batchSize: batchSize(context, place.stream, target) });
    next?.catch(() => undefined);
    const giveBack = setTimeout(() => void source.kill(target.db, cursor), GIVE_BACK_AFTER_MS);
    try {
      await take(context, target, { ...run, reply });
    } catch (error) {
      void next?.then(() => source.kill(target.db, cursor), () => undefined);
      throw error;
    } finally {
      clearTimeout(giveBack);
    }
    if (next === null) return;
    reply = await next;
  }
}

async function take(context: CaptureContext, target: ScanTarget, run: { readonly place: Place; readonly records: RecordFile | null; readonly reply: RawReply }): Promise<void> {
  const { place, records, reply } = run;
  const { state } = place.stream;
  const [documents, bytes] = [documentsOf(state), bytesOf(state)];
  place.stream.take(context.kernel, reply.batch, { array: true, onSlice: (slice) => records?.add(slice.records) });
  if (reply.resumeToken !== null && documentsOf(state) > documents) {
    place.last = reply.resumeToken;
    place.tokens.push(reply.resumeToken);
  }
  await records?.flush();
  await place.stream.drain();
  context.log.trace({ db: target.db, uuid: target.uuid, documents: documentsOf(state) }, 'scanning');
  context.watch.advance(documentsOf(state) - documents, bytesOf(state) - bytes, target.label);
  await context.takeBytes(bytesOf(state) - bytes, context.signal);
  throwIfAborted(context.signal);
}

function batchSize({ batchBytes }: CaptureContext, stream: ChunkStream, target: ScanTarget): number {
  const documents = documentsOf(stream.state);
  const average = documents > 0 ? bytesOf(stream.state) / documents : (target.averageBytes ?? 4096);
  return Math.min(Math.max(Math.ceil(batchBytes / Math.max(average, 16)), 1), 100_000);
}

function readConcernSince(since: ClusterTime | null): Document {
  return since === null ? { level: 'local' } : { level: 'majority', afterClusterTime: toTimestamp(since) };
}

/** A UUID as the value that commands take in place of a collection's name. */
export function uuidBinary(uuid: string): Binary {
  return new Binary(Buffer.from(uuid, 'hex'), Binary.SUBTYPE_UUID);
}

let files = 0;

function fileName(target: ScanTarget): string {
  files += 1;
  return `${target.uuid ?? 'unnamed'}-${files}`;
}
