// What an oplog entry is to a replay, for counting: every kind that a workload has to bring about.
import { BSON, type Document } from 'mongodb';

export const OPLOG_KINDS = [
  'insert', 'update by diff', 'replacement', 'delete', 'retryable write', 'transaction', 'transaction of many entries', 'view', 'time series', 'capped', 'user',
  'create', 'drop', 'renameCollection', 'rename over another', 'collMod', 'createIndexes', 'startIndexBuild', 'commitIndexBuild', 'abortIndexBuild', 'dropIndexes', 'dropDatabase',
] as const;

/** Kinds of an entry, several for one; none for a no-op. Commands go by their names. */
export function kindsOfEntry(raw: Buffer): string[] {
  const entry = BSON.deserialize(raw);
  const { op, ns, o } = entry as { op: string; ns: string; o: Document };
  if (op === 'n') return [];
  if (op !== 'c') return [kindOfWrite(op, o), ...placesOf(ns), ...(entry['stmtId'] === undefined ? [] : ['retryable write'])];
  const [name = ''] = Object.keys(o);
  if (name === 'applyOps') return [isPart(entry) ? 'transaction of many entries' : 'transaction', ...(o['applyOps'] as Document[]).flatMap((each) => (each['op'] === 'c' ? Object.keys(each['o'] as Document).slice(0, 1) : [kindOfWrite(String(each['op']), each['o'] as Document), ...placesOf(String(each['ns']))]))];
  return name === 'renameCollection' && o['dropTarget'] !== undefined ? [name, 'rename over another'] : [name];
}

function kindOfWrite(op: string, o: Document): string {
  if (op === 'u') return o['$v'] === 2 ? 'update by diff' : 'replacement';
  return op === 'i' ? 'insert' : 'delete';
}

function placesOf(ns: string): string[] {
  if (ns.endsWith('.system.views')) return ['view'];
  if (ns.includes('.system.buckets.')) return ['time series'];
  if (ns.endsWith('.capped')) return ['capped'];
  return ns === 'admin.system.users' ? ['user'] : [];
}

function isPart(entry: Document): boolean {
  const previous = entry['prevOpTime'] as { readonly ts?: { readonly t: number } } | undefined;
  return (entry['o'] as Document)['partialTxn'] === true || (previous?.ts?.t ?? 0) > 0;
}
