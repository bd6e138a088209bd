// Oplog entries made by hand, for what a server seldom writes.
import { Binary, BSON, Int32, Long, Timestamp, UUID, type Document } from 'mongodb';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import type { RawEntry } from './oplog-source.ts';

export const COLLECTION = new UUID('00000000-0000-4000-8000-000000000001');
export const UUID_TEXT = COLLECTION.toString('hex').replaceAll('-', '');

const SESSION = { id: new UUID('00000000-0000-4000-8000-00000000000a'), uid: new Binary(Buffer.alloc(32)) };
const ts = (i: number): Timestamp => new Timestamp({ t: 100, i });

export function at(i: number): ClusterTime {
  return { t: 100, i };
}

export function entry(i: number, fields: Document): RawEntry {
  return { time: at(i), raw: Buffer.from(BSON.serialize({ v: new Int32(2), ts: ts(i), t: Long.ONE, ...fields })) };
}

export function insertOf(id: number, fields: Document = {}): Document {
  return { op: 'i', ns: 'd.c', ui: COLLECTION, o: { _id: id, ...fields } };
}

export function updateOf(id: number, fields: Document): Document {
  return { op: 'u', ns: 'd.c', ui: COLLECTION, o2: { _id: id }, o: { $v: new Int32(2), diff: { u: fields } } };
}

export function deleteOf(id: number): Document {
  return { op: 'd', ns: 'd.c', ui: COLLECTION, o: { _id: id } };
}

export const CREATE: Document = { op: 'c', ns: 'd.$cmd', ui: COLLECTION, o: { create: 'c', idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } } };

/** An entry of a transaction. @param previous increment of the entry that it links to, 0 for none */
export function partOf(i: number, previous: number, o: Document, number = 1): RawEntry {
  return entry(i, { op: 'c', ns: 'admin.$cmd', lsid: SESSION, txnNumber: Long.fromNumber(number), o, prevOpTime: { ts: previous === 0 ? new Timestamp(0n) : ts(previous), t: Long.NEG_ONE } });
}
