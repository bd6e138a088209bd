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
import { adoptScan, type Adoption } from '../rest/adopt-scan.ts';
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
  /** Its start: changes behind it are noted. Null: nobody follows the oplog. */
  readonly since: ClusterTime | null;
}

export interface ScanOptions {
  /** Called at every beginning: from the time it gives on, changes are noted. Null: nobody follows the oplog. */
  readonly begin: () => ClusterTime | null;
  readonly keepRecords: boolean;
  /** Of an attempt before this one: the scan begins where that one stood. */
  readonly kept?: KeptBefore | null;
  /** Told once the scan reads: a rest asks it how far it is. */
  readonly onReading?: (scan: ScanUnderWay) => void;
}

export interface KeptBefore extends Pick<Adoption, 'kept' | 'reader'> {
  /** Of the source, for which its tokens are good. */
  readonly generation: number;
}

/** A scan between its first document and its last. */
export interface ScanUnderWay {
  readonly stream: ChunkStream;
  readonly records: RecordFile | null;
  readonly generation: number;
  readonly mask: number;
  readonly since: ClusterTime | null;
  readonly tokens: ReturnType<typeof createTokenRing>;
  readonly last: ResumeToken | null;
  /** Documents up to `last`. */
  readonly lastAt: number;
}

/** True while everything that was taken lies before its token: not where a reply brought none, or was taken in part. */
export function isInStep({ stream, lastAt }: ScanUnderWay): boolean {
  return lastAt === documentsOf(stream.state);
}

interface Place extends ScanUnderWay {
  readonly find: { readonly db: string; readonly find: unknown; readonly readConcern: Document };
  last: ResumeToken | null;
  lastAt: number;
}

interface Beginning {
  readonly since: ClusterTime | null;
  readonly records: RecordFile | null;
  readonly kept: KeptBefore | null;
  readonly onReading: ScanOptions['onReading'];
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
    const kept = beginning === 1 ? (options.kept ?? null) : null;
    const since = kept === null ? options.begin() : kept.kept.since;
    const outcome = await scanOnce(context, target, { since, records, kept, onReading: options.onReading });
    if (outcome === 'again') continue;
    if (outcome === 'gone') await records?.clear();
    return outcome === 'gone' ? null : outcome;
  }
  throw new LeafvaultError('CAPTURE_COLLECTION_UNREADABLE', `Reading ${target.label} failed: it began ${BEGINNINGS} times and never came to an end`, {
    details: { namespace: target.label },
    hint: 'A capped collection that is overwritten faster than it is read, or members that change all the time, can cause this',
  });
}

async function scanOnce(context: CaptureContext, target: ScanTarget, run: Beginning): Promise<Scan | 'again' | 'gone'> {
  const place = placeFor(context, target, run);
  if (run.kept !== null && !(await goOn(context, target, place, run.kept))) return 'again';
  if (run.kept !== null && run.kept.kept.middle === null) return scanOf(place);
  run.onReading?.(place);
  for (let failures = 0; ; failures += 1) {
    const before = documentsOf(place.stream.state);
    try {
      if (context.source.generation !== place.generation) return 'again';
      await readToEnd(context, target, place);
      await run.records?.finish();
      context.log.debug({ db: target.db, uuid: target.uuid, documents: documentsOf(place.stream.state) }, 'scanned');
      return await scanOf(place);
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

function placeFor(context: CaptureContext, target: ScanTarget, { since, records, kept }: Beginning): Place {
  const mask = kept?.kept.mask ?? target.mask ?? chooseCutMask(target.averageBytes ?? 1024);
  const old = target.old === null || target.mask !== mask ? null : target.old();
  const middle = kept?.kept.middle ?? null;
  return {
    stream: createChunkStream(context.writer, mask, old === null ? null : createNearWalk(old, (error) => tellNoBases(context, target, error))),
    records, mask, since,
    generation: context.source.generation,
    tokens: createTokenRing(64, middle?.tokens.map(fromBase64)),
    last: middle === null ? null : fromBase64(middle.last),
    lastAt: 0,
    find: { db: target.db, find: target.uuid === null ? target.name : uuidBinary(target.uuid), readConcern: readConcernSince(since) },
  };
}

function fromBase64(token: string): ResumeToken {
  return Buffer.from(token, 'base64');
}

/** False where it has to be read from its beginning after all. */
async function goOn(context: CaptureContext, target: ScanTarget, place: Place, { kept, reader, generation }: KeptBefore): Promise<boolean> {
  const { stream, records } = place;
  const isGood = (kept.middle === null || context.source.generation === generation) && (await adoptScan(context, { kept, reader, stream, records, label: target.label }));
  place.lastAt = documentsOf(stream.state);
  context.log.debug({ namespace: target.label, uuid: target.uuid, isGood, documents: documentsOf(stream.state), isWhole: kept.middle === null }, 'a kept scan was looked at');
  return isGood;
}

async function scanOf({ stream, records, mask, since }: Place): Promise<Scan> {
  return { list: await stream.finish(), state: stream.state, records, mask, since };
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

async function readToEnd(context: CaptureContext, target: ScanTarget, place: Place): Promise<void> {
  const { source } = context;
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
      await take(context, target, { place, reply });
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

async function take(context: CaptureContext, target: ScanTarget, run: { readonly place: Place; readonly reply: RawReply }): Promise<void> {
  const { place, reply } = run;
  const { records, stream: { state } } = place;
  const [documents, bytes] = [documentsOf(state), bytesOf(state)];
  place.stream.take(context.kernel, reply.batch, { array: true, onSlice: (slice) => records?.add(slice.records) });
  if (reply.resumeToken !== null && documentsOf(state) > documents) {
    place.last = reply.resumeToken;
    place.lastAt = documentsOf(state);
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
