// What an oplog entry is to a replay, for counting: every kind that a workload has to bring about.
import { BSON, type Document } from 'mongodb';

export const OPLOG_KINDS = [
  'insert', 'update by diff', 'replacement', 'delete', 'retryable write', 'transaction', 'transaction of many entries', 'view', 'time series', 'capped', 'user',
  'create', 'drop', 'renameCollection', 'rename over another', 'collMod', 'createIndexes', 'startIndexBuild', 'commitIndexBuild', 'abortIndexBuild', 'dropIndexes', 'dropDatabase',
  '$out', 'convertToCapped', 'rename across databases', '$merge', 'create in a transaction', 'index in a transaction',
] as const;

/** The last entry of what a server does by way of a collection of its own, which then takes its name (6.0.5). */
const RENAMED_AT_THE_END: readonly (readonly [string, RegExp])[] = [
  ['$out', /\.tmp\.agg_out\./], ['convertToCapped', /\.tmp[A-Za-z0-9]{5}\.convertToCapped\./], ['rename across databases', /\.tmp[A-Za-z0-9]{5}\.renameCollection$/],
];

/** Kinds of an entry, several for one; none for a no-op. Commands go by their names. */
export function kindsOfEntry(raw: Buffer): string[] {
  const entry = BSON.deserialize(raw);
  const { op, ns, o } = entry as { op: string; ns: string; o: Document };
  if (op === 'n') return [];
  if (op !== 'c') return [kindOfWrite(op, o), ...placesOf(ns), ...(isMerged(o) ? ['$merge'] : []), ...(entry['stmtId'] === undefined ? [] : ['retryable write'])];
  const [name = ''] = Object.keys(o);
  if (name === 'applyOps') return [isPart(entry) ? 'transaction of many entries' : 'transaction', ...(o['applyOps'] as Document[]).flatMap((each) => (each['op'] === 'c' ? kindsOfCommand(each['o'] as Document) : [kindOfWrite(String(each['op']), each['o'] as Document), ...placesOf(String(each['ns']))]))];
  if (name !== 'renameCollection') return [name];
  return [name, ...(o['dropTarget'] === undefined ? [] : ['rename over another']), ...RENAMED_AT_THE_END.filter(([, own]) => own.test(String(o[name]))).map(([kind]) => kind)];
}

/** Within a transaction. */
function kindsOfCommand(o: Document): string[] {
  const [name = ''] = Object.keys(o);
  return [name, ...(name === 'create' ? ['create in a transaction'] : []), ...(name === 'createIndexes' ? ['index in a transaction'] : [])];
}

/** `$merge` writes as anybody does: the workload has it write a field of its own. */
function isMerged(o: Document): boolean {
  const { u, i } = (o['diff'] ?? {}) as { readonly u?: Document; readonly i?: Document };
  return [o, u, i].some((each) => each?.['merged'] !== undefined);
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
