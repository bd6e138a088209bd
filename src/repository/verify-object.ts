// Whether bytes are the object that their name says: checksum or tag of every kind, and every chunk of a pack. Of a delta the tag,
// which vouches for its bytes and for the id of its base: the base lies elsewhere, and is verified there.
import type { ChunkPool } from './chunks/chunk-pool.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, CHUNK_TYPES, MAX_CHUNK_BYTES, NO_BASE, writeChunkEntry, type ChunkEntry } from './format/chunk-entry.ts';
import { damaged } from './format/damage.ts';
import { parseKeySlot } from './format/key-slot.ts';
import type { RepositoryKeys } from './format/keys.ts';
import { idOfName, KEYS, PACKS, REPOSITORY_FILE } from './format/names.ts';
import { openDirectory, PACK_HEADER_BYTES, PACK_TRAILER_BYTES, readPackHeader, readPackTrailer } from './format/pack.ts';
import { parseRepositoryFile } from './format/repository-file.ts';
import { OBJECT_KINDS, openObject, type ObjectKind } from './format/sealed-object.ts';

export interface VerifyContext {
  readonly id: string;
  readonly keys: RepositoryKeys;
  readonly pool: Pick<ChunkPool, 'open'>;
}

/** Of chunks that are opened at once, raw. */
const GROUP_BYTES = 4 * 1024 * 1024;

/** The descriptor and the slots vouch for themselves by checksums, everything else by the repository's key. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function verifyObject(context: VerifyContext, name: string, bytes: Buffer): Promise<void> {
  if (name === REPOSITORY_FILE) {
    if (parseRepositoryFile(bytes).id !== context.id) throw damaged(name, 'it is that of another repository');
  } else if (name.startsWith(KEYS)) {
    parseKeySlot(idOfName(name) ?? '', bytes);
  } else if (name.startsWith(PACKS)) {
    await verifyPack(context, name, bytes);
  } else {
    openObject(context.keys, { kind: kindOf(bytes), name }, bytes);
  }
}

/** The tag vouches for the kind, too; which one a name may have, its reader knows. */
function kindOf(bytes: Buffer): ObjectKind {
  const found = (Object.entries(OBJECT_KINDS) as [ObjectKind, number][]).find(([, number]) => number === bytes[5]);
  return found?.[0] ?? 'index';
}

async function verifyPack(context: VerifyContext, name: string, bytes: Buffer): Promise<void> {
  const packId = idOfName(name);
  if (packId === null) throw damaged(name, 'it is no name of a pack');
  const { salt } = readPackHeader(packId, bytes);
  const packKey = context.keys.packKey(salt);
  const trailerAt = bytes.length - PACK_TRAILER_BYTES;
  if (trailerAt < PACK_HEADER_BYTES) throw damaged(name, 'it is cut off');
  const trailer = readPackTrailer(packId, bytes.subarray(trailerAt));
  const directoryAt = trailerAt - trailer.directoryBytes;
  if (directoryAt < PACK_HEADER_BYTES) throw damaged(name, 'its directory is said to be longer than the pack');
  const { entries, bases } = openDirectory(packKey, packId, bytes.subarray(directoryAt, trailerAt), trailer.chunks);
  const end = entries.reduce((at, entry) => (entry.offset === at ? at + entry.storedLength : Number.NaN), PACK_HEADER_BYTES);
  if (end !== directoryAt || entries.some(({ rawLength }) => rawLength > MAX_CHUNK_BYTES)) throw damaged(name, 'its directory does not fit its chunks');
  for (let from = 0; from < entries.length;) {
    const group = groupAt(entries, from);
    await verifyGroup(context, { name, packId, packKey, bytes, bases }, group);
    from += group.length;
  }
}

function groupAt(entries: readonly ChunkEntry[], from: number): readonly ChunkEntry[] {
  let [to, rawBytes] = [from, 0];
  for (; to < entries.length; to += 1) {
    rawBytes += entries[to]?.rawLength ?? 0;
    if (to > from && rawBytes > GROUP_BYTES) break;
  }
  return entries.slice(from, to);
}

interface Pack { readonly name: string; readonly packId: string; readonly packKey: Buffer; readonly bytes: Buffer; readonly bases: Buffer }

async function verifyGroup({ pool }: VerifyContext, { name, packId, packKey, bytes, bases }: Pack, group: readonly ChunkEntry[]): Promise<void> {
  // A later form of a chunk is vouched for by whoever can read it.
  const known = group.filter(({ type }) => type <= CHUNK_TYPES.delta);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return;
  const entries = Buffer.allocUnsafeSlow(known.length * CHUNK_ENTRY_BYTES);
  const used = [...new Set(known.filter(({ type }) => type === CHUNK_TYPES.delta).map(({ base }) => base))];
  known.forEach((chunk, i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, { ...chunk, offset: chunk.offset - first.offset, base: chunk.type === CHUNK_TYPES.delta ? used.indexOf(chunk.base) : NO_BASE }));
  // Memory of its own, since the threads take it over.
  const stored = Buffer.allocUnsafeSlow(last.offset + last.storedLength - first.offset);
  bytes.copy(stored, 0, first.offset);
  const { faults } = await pool.open({
    stored, packKey, packId: Buffer.from(packId, 'hex'), entries, bases: used.map((base) => ({ id: Uint8Array.from(bases.subarray(base * CHUNK_ID_BYTES, (base + 1) * CHUNK_ID_BYTES)), raw: null })),
  });
  const [fault] = faults;
  if (fault !== undefined) throw damaged(name, `its chunk ${known[fault.chunk]?.id.toString('hex') ?? ''} can not be opened: ${fault.reason}`);
}
