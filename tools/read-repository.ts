// The way out: turns a store and its key into a mongodump directory, with nothing but Node 24 and this file.
//
//   node tools/read-repository.ts <folder of the store> <master key file> [<snapshot id> <folder to make>]
//
// A passphrase stands in a file, too: `passphrase:<file>` in the place of the key file. Without an id it lists the snapshots. A bucket is copied into a folder first. Written from docs/design/repository-format.md (and the lists
// of docs/design/consistency.md) alone, sharing no code with src/, so that the pages are proven to say enough. Numbers in comments are the sections.
import { createDecipheriv, createHash, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

interface List { readonly root: string | null; readonly height: number; readonly chunks: number }
interface Place {
  readonly pack: string;
  readonly type: number;
  /** Of a delta, the id of its base. */
  readonly base: string | null;
  readonly counter: number;
  readonly offset: number;
  readonly stored: number;
  readonly raw: number;
}
export interface IndependentEntry { readonly name: string; readonly body: unknown; readonly lists: Readonly<Record<string, List>> }

export interface IndependentSlice { readonly header: Readonly<Record<string, unknown>>; readonly digest: string; readonly raw: Buffer }
export interface IndependentChain {
  readonly head: Readonly<Record<string, unknown>>;
  readonly slices: readonly IndependentSlice[];
  /** Of the close, and of `end` beside it. */
  readonly end: Readonly<Record<string, unknown>> | null;
}

export interface IndependentDump {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** JSON, one value a line. */
  readonly lines: readonly string[];
}

export interface IndependentSnapshot {
  readonly id: string;
  readonly series: string;
  readonly createdAt: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly entries: readonly IndependentEntry[];
}

export interface IndependentReader {
  snapshots(): IndependentSnapshot[];
  chunks(list: List): Buffer[];
  /** The same, one at a time. */
  eachChunk(list: List): Generator<Buffer>;
  chains(): IndependentChain[];
  /** Of a catalog; without the fences. */
  dumps(): IndependentDump[];
  /** True when the directories of the packs say the same as the indexes. */
  directoriesAgree(): boolean;
  /** What was passed over so far since it can't be read, by its name, and why. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** @param opener a master key of 32 bytes, or a passphrase */
export function readIndependently(folder: string, opener: Buffer | string): IndependentReader {
  const key = repositoryKey(folder, opener);
  const hkdf = (salt: Uint8Array, info: string): Buffer => Buffer.from(hkdfSync('sha256', key, salt, info, 32));
  // 8: a chunk may stand in several packs, and any copy will do: of one that rotted and was healed the other one is read.
  const places = new Map<string, Place[]>();
  const indexed = new Set<string>();
  const unreadable = new Map<string, string>();
  const packs = new Map<string, Buffer>();
  const packOf = (id: string): Buffer => {
    const known = packs.get(id);
    if (known !== undefined) return known;
    // Chunks of a collection lie side by side.
    if (packs.size >= 4) packs.delete(packs.keys().next().value ?? '');
    const bytes = readFileSync(packPath(folder, id));
    packs.set(id, bytes);
    return bytes;
  };

  // 6: sealed objects
  const open = (name: string, kind: number): Buffer => {
    const bytes = readFileSync(join(folder, name));
    expect(bytes.toString('latin1', 0, 4) === 'LVOB' && (bytes[4] === 1 || (bytes[4] === 2 && kind === 1)) && bytes[5] === kind, name);
    return gcm(hkdf(bytes.subarray(8, 40), 'leafvault 1 object'), Buffer.alloc(12), Buffer.concat([bytes.subarray(0, 8), Buffer.from(name)]), bytes.subarray(40));
  };

  /** undefined for what can't be read: it is named, and the rest goes on. */
  const orPassOver = <T>(name: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      unreadable.set(name, messageOf(error));
      return undefined;
    }
  };
  const addPlaces = (found: readonly (readonly [string, Place])[]): void => {
    for (const [id, place] of found) {
      const known = places.get(id);
      if (known === undefined) places.set(id, [place]);
      // 7, type 2: full copies first. Two indexes may name the same pack.
      else if (!known.some(({ pack }) => pack === place.pack)) known.splice(place.base === null ? 0 : known.length, 0, place);
    }
  };

  // 8: indexes
  for (const name of filesBelow(folder, 'indexes')) {
    const payload = orPassOver(name, () => open(name, 1));
    if (payload === undefined) continue;
    const [count, entries] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
    const packIds = Array.from({ length: count }, (_, i) => payload.toString('hex', 16 + i * 24, 28 + i * 24));
    const basesAt = 16 + count * 24 + entries * 64;
    addPlaces(Array.from({ length: entries }, (_, i) => {
      const at = 16 + count * 24 + i * 64;
      return [payload.toString('hex', at, at + 32), placeAt(payload, at, { pack: packIds[payload.readUInt32LE(at + 56)] ?? '', basesAt })] as const;
    }));
    for (const id of packIds) indexed.add(id);
  }

  // 8: packs that no index names may be read by their own directories, as a last resort
  let recovered = false;
  const recover = (): void => {
    recovered = true;
    for (const name of filesBelow(folder, 'packs').filter((each) => !indexed.has(basename(each)))) addPlaces(orPassOver(name, () => directoryOf(readFileSync(join(folder, name)), basename(name), hkdf)) ?? []);
  };

  // 7: one chunk, by its index entry alone
  const copyAt = (id: string, place: Place, depth: number): Buffer => {
    const pack = packOf(place.pack);
    const packKey = hkdf(pack.subarray(32, 64), 'leafvault 1 pack');
    const aad = Buffer.alloc(place.base === null ? 60 : 92);
    aad.write('LVCK', 'latin1');
    aad.set([1, place.type, 0, 0], 4);
    aad.write(place.pack, 8, 'hex');
    aad.write(id, 20, 'hex');
    aad.writeUInt32LE(place.counter, 52);
    aad.writeUInt32LE(place.raw, 56);
    if (place.base !== null) aad.write(place.base, 60, 'hex');
    // 7, type 2: where all full copies of a base are lost, one that is a delta may be left; then no further.
    expect(place.base === null || depth < 2, `${id} is a delta on a delta on a delta`);
    const plain = gcm(packKey, nonce(0, place.counter), aad, pack.subarray(place.offset, place.offset + place.stored));
    const raw = place.type === 0 ? plain : zstdDecompressSync(plain, place.base === null ? {} : { dictionary: chunk(place.base, depth + 1) });
    expect(raw.length === place.raw, 'raw length');
    expect(createHmac('sha256', hkdf(Buffer.alloc(0), 'leafvault 1 chunk id')).update(raw).digest('hex') === id, 'chunk id');
    return raw;
  };

  const chunk = (id: string, depth = 0): Buffer => {
    const tried = new Set<Place>();
    let failure: unknown;
    for (;;) {
      const place = places.get(id)?.find((each) => !tried.has(each));
      if (place === undefined && recovered) throw failure ?? new Error(`no index names ${id}`);
      if (place === undefined) recover();
      else {
        tried.add(place);
        try {
          return copyAt(id, place, depth);
        } catch (error) {
          failure ??= new Error(`chunk ${id} in ${packPath('', place.pack)}: ${messageOf(error)}`, { cause: error });
        }
      }
    }
  };

  // 9: lists
  const chunkIds = (id: string, height: number): string[] => {
    const page = chunk(id);
    expect(page.toString('latin1', 0, 4) === 'LVPG' && page[4] === 1 && page[5] === height, 'page');
    const size = height === 0 ? 40 : 64;
    const ids = Array.from({ length: page.readUInt32LE(8) }, (_, i) => page.toString('hex', 16 + i * size, 48 + i * size));
    return height === 0 ? ids : ids.flatMap((child) => chunkIds(child, height - 1));
  };
  const eachChunk = function* (list: List): Generator<Buffer> {
    if (list.root !== null) for (const id of chunkIds(list.root, list.height)) yield chunk(id);
  };
  const chunks = (list: List): Buffer[] => [...eachChunk(list)];

  // 10: entries
  const entriesOf = (list: List): IndependentEntry[] => chunks(list).flatMap((raw) => {
    const entries: IndependentEntry[] = [];
    for (let at = 0; at < raw.length; at += 4 + raw.readUInt32LE(at)) {
      entries.push(JSON.parse(raw.toString('utf8', at + 4, at + 4 + raw.readUInt32LE(at))) as IndependentEntry);
    }
    return entries;
  });

  return {
    chunks, eachChunk,
    dumps: () => filesBelow(folder, 'catalog').filter((name) => basename(name) === 'manifest').flatMap((name) => dumpOf(folder, name.split('/')[1] ?? '', open)),
    chains: () => filesBelow(folder, 'oplog').filter((name) => basename(name) === 'head').map((name) => chainOf(folder, name.split('/')[1] ?? '', open)),
    // 11: roots; 12: facts of the kind `deleted`, which count where no pin and no hold does
    snapshots() {
      const facts = filesBelow(folder, 'facts').map((name) => ({ name, of: name.split('/')[1], kind: basename(name).split('-')[0] ?? '' }));
      const factIn = (name: string) => orPassOver(name, () => JSON.parse(open(name, 3).toString()) as { id: string; createdAt: string; body: { kept?: unknown } });
      // One that can't be read keeps, and deletes nothing.
      const keeps = (of: string | undefined, kind: string): boolean => {
        const said = facts.filter((fact) => fact.of === of && fact.kind === kind).map(({ name }) => factIn(name));
        const last = said.filter((fact) => fact !== undefined).sort((a, b) => (`${a.createdAt} ${a.id}` < `${b.createdAt} ${b.id}` ? -1 : 1)).at(-1);
        return said.includes(undefined) || (last !== undefined && last.body.kept !== false);
      };
      const deleted = facts.filter(({ name, of, kind }) => kind === 'deleted' && factIn(name) !== undefined && !keeps(of, 'pin') && !keeps(of, 'hold')).map(({ of }) => of);
      const idOf = (name: string): string => basename(name).slice(0, 24);
      return filesBelow(folder, 'snapshots').filter((name) => !deleted.includes(idOf(name))).flatMap((name) => orPassOver(name, () => {
        const root = JSON.parse(open(name, 2).toString()) as { id: string; series: string; createdAt: string; body: Record<string, unknown>; entries: List; fenced?: string };
        expect(root.id === idOf(name), name);
        return root.fenced === undefined ? [{ id: root.id, series: root.series, createdAt: root.createdAt, body: root.body, entries: entriesOf(root.entries) }] : [];
      }) ?? []);
    },
    directoriesAgree() {
      const seen = filesBelow(folder, 'packs').flatMap((name) => directoryOf(readFileSync(join(folder, name)), basename(name), hkdf));
      const said = new Set([...places].flatMap(([id, all]) => all.map((place) => JSON.stringify([id, place]))));
      return seen.length === said.size && seen.every((each) => said.has(JSON.stringify(each)));
    },
    unreadable,
  };
}

// 17: chains
function chainOf(folder: string, id: string, open: (name: string, kind: number) => Buffer): IndependentChain {
  const [head, last] = [`oplog/${id}/head`, `oplog/${id}/end`];
  const digestOf = (name: string): string => createHash('sha256').update(readFileSync(join(folder, name))).digest('hex');
  const start = JSON.parse(open(head, 7).toString()) as Record<string, unknown>;
  expect(start['formatVersion'] === 1 && start['id'] === id, head);
  // Where the front was pruned: of several the largest counts.
  const from = filesBelow(folder, `oplog/${id}`).filter((name) => /^from-[0-9]{10}$/.test(basename(name))).sort().at(-1);
  const pruned = from === undefined ? null : (JSON.parse(open(from, 7).toString()) as Record<string, unknown>);
  const first = pruned === null ? 1 : Number(pruned['first']);
  expect(pruned === null || (pruned['chainId'] === id && basename(from ?? '') === `from-${String(first).padStart(10, '0')}`), from ?? head);
  const names = filesBelow(folder, `oplog/${id}`).filter((name) => /^[0-9]{10}$/.test(basename(name)) && Number(basename(name)) >= first).sort();
  const slices: IndependentSlice[] = [];
  let [previous, at]: [string, unknown] = pruned === null ? [digestOf(head), start['from']] : [String(pruned['previous']), pruned['at']];
  let close: Record<string, unknown> | null = null;
  for (const [i, name] of names.entries()) {
    const payload = open(name, 7);
    const length = payload.readUInt32LE(0);
    const header = JSON.parse(payload.toString('utf8', 4, 4 + length)) as Record<string, unknown>;
    const data = payload.subarray(4 + length);
    expect(close === null && header['formatVersion'] === 1 && header['chainId'] === id && header['sequence'] === first + i, name);
    expect(basename(name) === String(first + i).padStart(10, '0') && header['previous'] === previous, name);
    if (header['end'] !== undefined) {
      close = header['end'] as Record<string, unknown>;
      expect(data.length === 0 && close['at'] === at, name);
      continue;
    }
    const raw = header['encoding'] === 'zstd' ? zstdDecompressSync(data) : data;
    expect(raw.length === header['rawBytes'] && header['from'] === at && String(header['to']) > String(at), name);
    [previous, at] = [digestOf(name), header['to']];
    slices.push({ header, digest: previous, raw });
  }
  if (filesBelow(folder, `oplog/${id}`).includes(last)) {
    const { formatVersion, chainId, lastSequence, previous: digest, ...end } = JSON.parse(open(last, 7).toString()) as Record<string, unknown>;
    expect(formatVersion === 1 && chainId === id && lastSequence === first - 1 + slices.length && digest === previous, last);
    expect(JSON.stringify(end) === JSON.stringify(close), `${last} and the close`);
  }
  return { head: start, slices, end: close };
}

// 18: dumps of a catalog
function dumpOf(folder: string, id: string, open: (name: string, kind: number) => Buffer): IndependentDump[] {
  const name = `catalog/${id}/manifest`;
  const manifest = JSON.parse(open(name, 8).toString()) as Record<string, unknown>;
  expect(manifest['formatVersion'] === 1 && manifest['id'] === id, name);
  if (manifest['fenced'] === true) return [];
  const parts = filesBelow(folder, `catalog/${id}`).filter((each) => each !== name).sort();
  expect(parts.length === manifest['parts'] && parts.every((each, i) => basename(each) === String(i + 1).padStart(10, '0')), `${name}: parts`);
  const raw = Buffer.concat(parts.map((part) => zstdDecompressSync(open(part, 8))));
  const storedBytes = parts.reduce((sum, part) => sum + readFileSync(join(folder, part)).length, 0);
  expect(raw.length === manifest['rawBytes'] && storedBytes === manifest['storedBytes'] && createHash('sha256').update(raw).digest('hex') === manifest['sha256'], `${name}: sums`);
  const lines = raw.toString().split('\n');
  expect(lines.pop() === '' && lines.at(-1) === '["end"]', `${name}: lines`);
  return [{ id, body: manifest['body'] as IndependentDump['body'], lines }];
}

// 4, 5: descriptor and key slots
function repositoryKey(folder: string, opener: Buffer | string): Buffer {
  const descriptor = readFileSync(join(folder, 'repository.json'));
  const { id, version, checksum } = JSON.parse(descriptor.toString()) as Record<string, unknown>;
  expect(version === 1, 'version');
  const head = descriptor.subarray(0, descriptor.lastIndexOf(',"checksum"'));
  expect(createHash('sha256').update(head).digest('hex') === checksum, 'checksum');
  for (const name of filesBelow(folder, 'keys')) {
    const slot = slotIn(join(folder, name));
    // A slot of an interrupted beginning may belong to another repository; one that opens is enough.
    if (slot === null || !slot.repository.includes(`"id":"${String(id)}"`)) continue;
    const key = wrappingKey(slot, opener);
    const sealed = Buffer.from(slot.sealed, 'base64');
    const aad = Buffer.concat([Buffer.from(`leafvault 1 ${typeof opener === 'string' ? 'passphrase slot' : 'key slot'} ${String(id)} ${slot.id}`), createHash('sha256').update(descriptor).digest()]);
    try {
      if (key !== null) return gcm(key, sealed.subarray(0, 12), aad, sealed.subarray(12));
    } catch {
      // Another passphrase, or altered: another slot may open.
    }
  }
  throw new Error(`no slot for this ${typeof opener === 'string' ? 'passphrase' : 'master key'}`);
}

interface Slot { readonly id: string; readonly repository: string; readonly masterKeyId: string; readonly salt: string; readonly sealed: string; readonly kdf?: { readonly n: number; readonly r: number; readonly p: number } }

/** null: not whole. */
function slotIn(path: string): Slot | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Slot;
  } catch {
    return null;
  }
}

/** null: the slot is another key's. */
function wrappingKey({ masterKeyId, salt: text, kdf }: Slot, opener: Buffer | string): Buffer | null {
  const salt = Buffer.from(text, 'base64');
  const derive = (key: Uint8Array, from: Uint8Array, info: string): Buffer => Buffer.from(hkdfSync('sha256', key, from, info, 32));
  if (typeof opener !== 'string') return masterKeyId === derive(opener, Buffer.alloc(0), 'leafvault 1 master key id').toString('hex', 0, 8) ? derive(opener, salt, 'leafvault 1 key slot') : null;
  if (masterKeyId !== 'passphrase' || kdf === undefined) return null;
  const { n, r, p } = kdf;
  if (n < 2 ** 14 || n > 2 ** 20 || r < 1 || r > 16 || p < 1 || p > 4 || 128 * n * r > 2 ** 29) return null;
  return derive(scryptSync(opener.normalize('NFC'), salt, 32, { N: n, r, p, maxmem: 2 ** 30 }), salt, 'leafvault 1 passphrase slot');
}

// 7: directory and trailer
function directoryOf(pack: Buffer, id: string, hkdf: (salt: Uint8Array, info: string) => Buffer): [string, Place][] {
  expect(pack.toString('latin1', 0, 4) === 'LVPK' && [1, 2].includes(pack[4] ?? 0) && pack.toString('hex', 8, 20) === id && pack.toString('latin1', pack.length - 4) === 'LVPE', 'pack');
  const [length, count] = [pack.readUInt32LE(pack.length - 16), pack.readUInt32LE(pack.length - 12)];
  const aad = Buffer.alloc(24);
  aad.write('LVPD\u0001', 'latin1');
  aad.write(id, 8, 'hex');
  aad.writeUInt32LE(count, 20);
  const sealed = pack.subarray(pack.length - 16 - length, pack.length - 16);
  const plain = gcm(hkdf(pack.subarray(32, 64), 'leafvault 1 pack'), nonce(1, 0), aad, sealed);
  return Array.from({ length: count }, (_, i) => [plain.toString('hex', i * 64, i * 64 + 32), placeAt(plain, i * 64, { pack: id, basesAt: count * 64 })]);
}

function placeAt(bytes: Buffer, at: number, { pack, basesAt }: { readonly pack: string; readonly basesAt: number }): Place {
  const base = basesAt + bytes.readUInt32LE(at + 52) * 32;
  return {
    pack, base: bytes.readUInt8(at + 32) === 2 ? bytes.toString('hex', base, base + 32) : null, type: bytes.readUInt8(at + 32), counter: bytes.readUInt32LE(at + 36), offset: bytes.readUInt32LE(at + 40),
    stored: bytes.readUInt32LE(at + 44), raw: bytes.readUInt32LE(at + 48),
  };
}

function gcm(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(aad).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function nonce(domain: number, counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(domain, 0);
  bytes.writeBigUInt64LE(BigInt(counter), 4);
  return bytes;
}

function packPath(folder: string, id: string): string {
  return join(folder, 'packs', id.slice(-2), id);
}

function filesBelow(folder: string, prefix: string): string[] {
  try {
    return readdirSync(join(folder, prefix), { recursive: true, withFileTypes: true }).filter((item) => item.isFile())
      .map((item) => join(item.parentPath, item.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the format does not hold: ${what}`);
}

interface Body { readonly kind: 'collection' | 'timeseries' | 'view' | 'users' | 'roles'; readonly db: string; readonly name: string; readonly uuid: string | null; readonly options: string; readonly indexes: string; readonly temporary?: true }

/**
 * Writes `<db>/<collection>.bson` and `.metadata.json` as mongodump does. @param into a folder that is made
 * @returns collections that are damaged, by name, and why: `<collection>.bson.incomplete` has what comes before the damage, and mongorestore passes it by
 */
export function dumpIndependently(reader: IndependentReader, snapshot: IndependentSnapshot, into: string): ReadonlyMap<string, string> {
  const damaged = new Map<string, string>();
  for (const { body, lists } of snapshot.entries) {
    const { kind, db, name, uuid, options, indexes, temporary } = body as Body;
    // The server's own, for a while: only an instant behind the snapshot may need it.
    if (temporary === true) continue;
    mkdirSync(join(into, db), { recursive: true });
    const metadata = [
      ...(Buffer.from(options, 'base64').length > 5 ? [`"options":${documentJson(Buffer.from(options, 'base64'), false)}`] : []),
      `"indexes":${fieldsOf(Buffer.from(indexes, 'base64')).map(({ type, value }) => valueJson(type, value))[0] ?? '[]'}`,
      ...(uuid === null || kind === 'timeseries' ? [] : [`"uuid":"${uuid}"`]),
      `"collectionName":${JSON.stringify(name)}`, `"type":"${kind === 'view' || kind === 'timeseries' ? kind : 'collection'}"`,
    ];
    const file = join(into, db, `${fileName(kind === 'timeseries' ? `system.buckets.${name}` : name)}.bson`);
    try {
      if (kind !== 'view') writeFileSync(file, '');
      if (kind !== 'view') for (const documents of settled(reader, lists)) appendFileSync(file, documents);
      writeFileSync(join(into, db, `${fileName(name)}.metadata.json`), `{${metadata.join()}}`);
    } catch (error) {
      // A disk that is full, and the like, is no damage.
      if (error instanceof Error && 'code' in error) throw error;
      damaged.set(`${db}.${name}`, messageOf(error));
      renameSync(file, `${file}.incomplete`);
    }
  }
  const version = (snapshot.body['source'] as { readonly featureCompatibilityVersion?: string } | undefined)?.featureCompatibilityVersion;
  if (version === undefined || !snapshot.entries.some(({ body }) => ['users', 'roles'].includes((body as Body).kind))) return damaged;
  // mongorestore takes users and roles only beside the version of their form.
  const string = (text: string): Buffer => Buffer.concat([int32(Buffer.byteLength(text) + 1), Buffer.from(`${text}\0`)]);
  writeFileSync(join(into, 'admin', 'system.version.bson'), Buffer.concat([
    bson([[2, '_id', string('featureCompatibilityVersion')], [2, 'version', string(version)]]), bson([[2, '_id', string('authSchema')], [16, 'currentVersion', int32(5)]]),
  ]));
  writeFileSync(join(into, 'admin', 'system.version.metadata.json'), '{"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],"collectionName":"system.version","type":"collection"}');
  return damaged;
}

/** The settled set (consistency.md): the scan without the touched ids, then the patch. */
function* settled(reader: IndependentReader, lists: Readonly<Record<string, List>>): Generator<Buffer> {
  const none: List = { root: null, height: 0, chunks: 0 };
  const touched = new Set<string>();
  for (const chunk of reader.eachChunk(lists['touched'] ?? none)) for (const document of documentsOf(chunk)) touched.add(idOf(document) ?? '');
  for (const chunk of reader.eachChunk(lists['scan'] ?? none)) {
    if (touched.size === 0) yield chunk;
    else yield Buffer.concat([...documentsOf(chunk)].filter((document) => !touched.has(idOf(document) ?? '\u{10ffff}')));
  }
  yield* reader.eachChunk(lists['patch'] ?? none);
}

function* documentsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) yield bytes.subarray(at, at + bytes.readInt32LE(at));
}

/** Type and bytes of `_id`; null where there is none. */
function idOf(document: Buffer): string | null {
  for (const { type, name, value } of elementsOf(document)) if (name === '_id') return `${type}:${value.toString('latin1')}`;
  return null;
}

interface Element { readonly type: number; readonly name: string; readonly value: Buffer }

function fieldsOf(document: Buffer): Element[] {
  return [...elementsOf(document)];
}

function* elementsOf(document: Buffer): Generator<Element> {
  for (let at = 4; at < document.length - 1;) {
    const type = document[at] ?? 0;
    const end = document.indexOf(0, at + 1);
    const from = end + 1;
    const to = from + sizeOf(type, document, from);
    yield { type, name: document.toString('utf8', at + 1, end), value: document.subarray(from, to) };
    at = to;
  }
}

function sizeOf(type: number, bytes: Buffer, at: number): number {
  if ([1, 9, 17, 18].includes(type)) return 8;
  if ([2, 13, 14].includes(type)) return 4 + bytes.readInt32LE(at);
  if ([3, 4, 15].includes(type)) return bytes.readInt32LE(at);
  if (type === 5) return 5 + bytes.readInt32LE(at);
  if ([6, 10, 127, 255].includes(type)) return 0;
  if (type === 7) return 12;
  if (type === 8) return 1;
  if (type === 11) return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1 - at;
  if (type === 12) return 16 + bytes.readInt32LE(at);
  if (type === 16) return 4;
  if (type === 19) return 16;
  throw new Error(`the format does not hold: BSON type ${type}`);
}

/** Canonical Extended JSON, fields in their order. */
function documentJson(document: Buffer, isArray: boolean): string {
  const parts = fieldsOf(document).map(({ type, name, value }) => (isArray ? valueJson(type, value) : `${JSON.stringify(name)}:${valueJson(type, value)}`));
  return isArray ? `[${parts.join()}]` : `{${parts.join()}}`;
}

function valueJson(type: number, value: Buffer): string {
  const text = (): string => JSON.stringify(value.toString('utf8', 4, value.length - 1));
  if (type === 1) return `{"$numberDouble":"${doubleText(value.readDoubleLE(0))}"}`;
  if (type === 2) return text();
  if (type === 3 || type === 4) return documentJson(value, type === 4);
  if (type === 5) return binaryJson(value);
  if (type === 6) return '{"$undefined":true}';
  if (type === 7) return `{"$oid":"${value.toString('hex')}"}`;
  if (type === 8) return value[0] === 1 ? 'true' : 'false';
  if (type === 9) return `{"$date":{"$numberLong":"${value.readBigInt64LE(0)}"}}`;
  if (type === 10) return 'null';
  if (type === 11) return regexJson(value);
  if (type === 13) return `{"$code":${text()}}`;
  if (type === 14) return `{"$symbol":${text()}}`;
  if (type === 16) return `{"$numberInt":"${value.readInt32LE(0)}"}`;
  if (type === 17) return `{"$timestamp":{"t":${value.readUInt32LE(4)},"i":${value.readUInt32LE(0)}}}`;
  if (type === 18) return `{"$numberLong":"${value.readBigInt64LE(0)}"}`;
  if (type === 19) return `{"$numberDecimal":"${decimalText(value)}"}`;
  if (type === 127) return '{"$maxKey":1}';
  if (type === 255) return '{"$minKey":1}';
  throw new Error(`the format does not hold: BSON type ${type} in metadata`);
}

function doubleText(number: number): string {
  if (Object.is(number, -0)) return '-0.0';
  return Number.isInteger(number) && Math.abs(number) < 1e21 ? `${number}.0` : String(number);
}

function binaryJson(value: Buffer): string {
  const subType = (value[4] ?? 0).toString(16).padStart(2, '0');
  return `{"$binary":{"base64":"${value.toString('base64', 5)}","subType":"${subType}"}}`;
}

function regexJson(value: Buffer): string {
  const middle = value.indexOf(0);
  return `{"$regularExpression":{"pattern":${JSON.stringify(value.toString('utf8', 0, middle))},"options":${JSON.stringify(value.toString('utf8', middle + 1, value.length - 1))}}}`;
}

/** IEEE 754 decimal128, binary integer significand. */
function decimalText(value: Buffer): string {
  const [low, high] = [value.readBigUInt64LE(0), value.readBigUInt64LE(8)];
  const sign = high >> 63n === 1n ? '-' : '';
  const top = Number((high >> 58n) & 31n);
  if (top === 31) return 'NaN';
  if (top === 30) return `${sign}Infinity`;
  const isLarge = top >> 3 === 3;
  const exponent = Number(isLarge ? (high >> 47n) & 0x3fffn : (high >> 49n) & 0x3fffn) - 6176;
  const digits = String(isLarge ? 0n : ((high & 0x1ffffffffffffn) << 64n) | low);
  const scientific = exponent + digits.length - 1;
  if (exponent <= 0 && scientific >= -6) {
    if (exponent === 0) return sign + digits;
    const padded = digits.padStart(1 - exponent, '0');
    return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
  }
  return `${sign}${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}E${scientific < 0 ? '' : '+'}${scientific}`;
}

/** As mongodump escapes names of collections in names of files. */
function fileName(collection: string): string {
  const escaped = [...Buffer.from(collection)].map((byte) => (/[A-Za-z0-9\-_.~]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
  return escaped.length <= 238 ? escaped : `${escaped.slice(0, 208)}%24${createHash('sha1').update(collection).digest('base64url')}`;
}

function bson(fields: readonly (readonly [number, string, Buffer])[]): Buffer {
  const elements = Buffer.concat(fields.flatMap(([type, name, value]) => [Buffer.of(type), Buffer.from(`${name}\0`), value]));
  return Buffer.concat([int32(elements.length + 5), elements, Buffer.of(0)]);
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(number);
  return bytes;
}

/** 5: `LV1` and 56 letters of Crockford's base32: 32 bytes of key, 3 of checksum. */
function masterKeyIn(file: string): Buffer {
  const text = readFileSync(file, 'utf8').toUpperCase().replace(/[^A-Z0-9]/g, '').replace(/^LV1/, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  const bits = [...text].map((letter) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
  const key = bytes.subarray(0, 32);
  expect(bytes.length === 35 && createHash('sha256').update('leafvault recovery key').update(key).digest().subarray(0, 3).equals(bytes.subarray(32)), `${file} is no master key`);
  return key;
}

if (import.meta.main) {
  const [store, keyFile, id, into] = process.argv.slice(2);
  if (store === undefined || keyFile === undefined || (id === undefined) !== (into === undefined)) {
    console.error('node tools/read-repository.ts <folder of the store> <master key file, or passphrase:file> [<snapshot id> <folder to make>]');
    process.exit(2);
  }
  const passphraseFile = keyFile.startsWith('passphrase:') ? keyFile.slice('passphrase:'.length) : null;
  const reader = readIndependently(store, passphraseFile === null ? masterKeyIn(keyFile) : (readFileSync(passphraseFile, 'utf8').split(/\r?\n/)[0] ?? ''));
  const snapshots = reader.snapshots().sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  for (const [name, why] of reader.unreadable) console.error(`passed over: ${name} can not be read (${why})`);
  if (id === undefined || into === undefined) for (const each of snapshots) console.log(`${each.id}  ${each.createdAt}  ${each.entries.length} collections and views`);
  else {
    const snapshot = snapshots.find((each) => each.id === id);
    if (snapshot === undefined) throw new Error(`there is no snapshot ${id}; without an id they are listed`);
    const damaged = dumpIndependently(reader, snapshot, into);
    for (const [name, why] of damaged) console.error(`DAMAGED: ${name} is not whole (${why}); what could be read of it ends with .incomplete`);
    console.log(`${snapshot.entries.length - damaged.size} collections and views are in ${into}`);
    if (damaged.size > 0) process.exitCode = 3;
  }
}
