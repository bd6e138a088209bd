// Entries of a snapshot as a stream of records, and where its chunks are cut (format document, section 10).
import { createHash } from 'node:crypto';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { SnapshotEntry } from '../repository.ts';
import { isRecord } from './chain-fields.ts';
import { damaged } from './damage.ts';
import { isChunkList } from './root.ts';
import type { JsonRecord } from './sealed-json.ts';

const MIN_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;
/** An entry is one chunk at most; with room for the length. */
const MAX_ENTRY_BYTES = 31 * 1024 * 1024;

/** u32 length, then JSON. @throws REPOSITORY_ENTRY_INVALID when it is too large */
export function writeEntryRecord(entry: SnapshotEntry): Buffer {
  const json = Buffer.from(JSON.stringify({ name: entry.name, body: entry.body, lists: entry.lists }));
  if (json.length > MAX_ENTRY_BYTES) {
    throw new LeafvaultError('REPOSITORY_ENTRY_INVALID', `Storing the entry ${entry.name} failed: its description has ${json.length} bytes, ${MAX_ENTRY_BYTES} are allowed`);
  }
  const record = Buffer.allocUnsafe(4 + json.length);
  record.writeUInt32LE(json.length, 0);
  json.copy(record, 4);
  return record;
}

/** True when a chunk of `bytes` ends after the entry of this name. */
export function endsEntryChunk(bytes: number, name: string): boolean {
  if (bytes < MIN_CHUNK_BYTES) return false;
  return bytes >= MAX_CHUNK_BYTES || (createHash('sha256').update(name).digest().readUInt8(0) & 15) === 0;
}

/** The entries of one chunk. @throws REPOSITORY_OBJECT_DAMAGED naming `source` */
export function readEntryRecords(source: string, bytes: Buffer): SnapshotEntry[] {
  const entries: SnapshotEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Infinity;
    if (end > bytes.length) throw damaged(source, 'an entry reaches past the end');
    entries.push(parseEntry(source, bytes.toString('utf8', at + 4, end)));
    at = end;
  }
  return entries;
}

function parseEntry(source: string, json: string): SnapshotEntry {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw damaged(source, 'an entry is not JSON', cause);
  }
  const { name, body, lists }: JsonRecord = isRecord(parsed) ? parsed : {};
  if (typeof name !== 'string' || !isRecord(body) || !isRecord(lists)) throw damaged(source, 'an entry lacks a field');
  if (!Object.values(lists).every(isChunkList)) throw damaged(source, `the entry ${name} has a list that is none`);
  return { name, body, lists: lists as SnapshotEntry['lists'] };
}
