// What a capture that rests hands back: a head, and what it kept of each collection. Of very many collections that is a list of chunks.
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import type { NamespaceSelection } from '../../../domain/namespace-selection.ts';
import type { ChunkList, RepositoryReader, RepositoryWriter } from '../../../repository/repository.ts';
import type { HashState } from '../../bson/index.ts';
import type { Counts } from '../watch-progress.ts';

/** Plain JSON. */
export interface RestHead {
  readonly version: 1;
  /** T0, and the term of its entry. */
  readonly beganAt: ClusterTime;
  readonly beganTerm: string;
  /** How far the oplog was followed. */
  readonly position: ClusterTime;
  readonly positionTerm: string;
  /** The newest time of any reply: what goes on must not be older. */
  readonly seen: ClusterTime;
  readonly replicaSetId: string | null;
  readonly featureCompatibilityVersion: string;
  readonly selection: NamespaceSelection | null;
  /** Whom the tokens belong to. */
  readonly member: string;
  readonly process: string | null;
  /** What goes on shows at once. */
  readonly progress: Counts;
  /** Themselves, or chunks with lines of JSON, one each. What stands here no prune takes away. */
  readonly scans: readonly KeptScan[] | ChunkList;
}

/** The scan of one collection, whole or in the middle. Plain JSON. */
export interface KeptScan {
  readonly uuid: string;
  /** Its start: changes behind this time are to be noted. */
  readonly since: ClusterTime;
  readonly mask: number;
  /** base64 of the sums, and of where the cut stands. */
  readonly state: string;
  readonly list: ChunkList;
  /** The kernel's records of all its documents, those behind the last cut too; null: they can be made of the chunks. */
  readonly records: ChunkList | null;
  /** Null: it is over. */
  readonly middle: KeptMiddle | null;
}

export interface KeptMiddle {
  /** base64; the newest last. */
  readonly tokens: readonly string[];
  /** base64: behind this document it goes on. */
  readonly last: string;
  /** Id of a chunk with the documents behind the last cut; null: there are none. */
  readonly tail: string | null;
  readonly tailBytes: number;
}

const LINES_BYTES = 256 * 1024;
/** About 8,000 collections. */
const OWN_BYTES = 4 * 1024 * 1024;

export function encodeState({ block }: HashState): string {
  return Buffer.from(block).toString('base64');
}

export function decodeState(text: string): HashState {
  return { block: new Uint8Array(Buffer.from(text, 'base64')) };
}

/** As they are, or as chunks where they are too many for a document. */
export async function storeScans(writer: Pick<RepositoryWriter, 'openList' | 'putChunk'>, scans: readonly KeptScan[], ownBytes: number = OWN_BYTES): Promise<RestHead['scans']> {
  if (scans.reduce((sum, scan) => sum + JSON.stringify(scan).length, 0) <= ownBytes) return scans;
  const list = writer.openList();
  let lines: string[] = [];
  let length = 0;
  const put = async (): Promise<void> => {
    if (lines.length > 0) await list.append(await writer.putChunk(Buffer.from(lines.join('')), lines.length));
    lines = [];
    length = 0;
  };
  for (const scan of scans) {
    const line = `${JSON.stringify(scan)}\n`;
    lines.push(line);
    length += line.length;
    if (length >= LINES_BYTES) await put();
  }
  await put();
  return list.finish();
}

/** @throws what reading chunks throws */
export async function loadScans(reader: Pick<RepositoryReader, 'chunks'>, stored: RestHead['scans']): Promise<readonly KeptScan[]> {
  if (!('root' in stored)) return stored;
  const scans: KeptScan[] = [];
  for await (const { raw } of reader.chunks(stored)) {
    for (const line of raw.toString('utf8').split('\n')) if (line !== '') scans.push(JSON.parse(line) as KeptScan);
  }
  return scans;
}
