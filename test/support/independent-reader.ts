// Reads a repository from docs/design/repository-format.md alone: shares no code with src/, so that the page is
// proven to say enough. Numbers in comments are the page's sections.
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

interface List { readonly root: string | null; readonly height: number; readonly chunks: number }
interface Place { readonly pack: string; readonly type: number; readonly counter: number; readonly offset: number; readonly stored: number; readonly raw: number }
export interface IndependentEntry { readonly name: string; readonly body: unknown; readonly lists: Readonly<Record<string, List>> }

export interface IndependentSlice { readonly header: Readonly<Record<string, unknown>>; readonly digest: string; readonly raw: Buffer }
export interface IndependentChain {
  readonly head: Readonly<Record<string, unknown>>;
  readonly slices: readonly IndependentSlice[];
  /** Of the close, and of `end` beside it. */
  readonly end: Readonly<Record<string, unknown>> | null;
}

export interface IndependentReader {
  snapshots(): { readonly id: string; readonly series: string; readonly entries: readonly IndependentEntry[] }[];
  chunks(list: List): Buffer[];
  chains(): IndependentChain[];
  /** True when the directories of the packs say the same as the indexes. */
  directoriesAgree(): boolean;
}

export function readIndependently(folder: string, masterKey: Buffer): IndependentReader {
  const key = repositoryKey(folder, masterKey);
  const hkdf = (salt: Uint8Array, info: string): Buffer => Buffer.from(hkdfSync('sha256', key, salt, info, 32));
  const places = new Map<string, Place>();

  // 6: sealed objects
  const open = (name: string, kind: number): Buffer => {
    const bytes = readFileSync(join(folder, name));
    expect(bytes.toString('latin1', 0, 4) === 'LVOB' && bytes[4] === 1 && bytes[5] === kind, name);
    return gcm(hkdf(bytes.subarray(8, 40), 'leafvault 1 object'), Buffer.alloc(12), Buffer.concat([bytes.subarray(0, 8), Buffer.from(name)]), bytes.subarray(40));
  };

  // 8: indexes
  for (const name of filesBelow(folder, 'indexes')) {
    const payload = open(name, 1);
    const packs = payload.readUInt32LE(0);
    const packIds = Array.from({ length: packs }, (_, i) => payload.toString('hex', 16 + i * 24, 28 + i * 24));
    for (let i = 0; i < payload.readUInt32LE(4); i += 1) {
      const at = 16 + packs * 24 + i * 64;
      places.set(payload.toString('hex', at, at + 32), placeAt(payload, at, packIds[payload.readUInt32LE(at + 56)] ?? ''));
    }
  }

  // 7: one chunk, by its index entry alone
  const chunk = (id: string): Buffer => {
    const place = places.get(id);
    if (place === undefined) throw new Error(`no index names ${id}`);
    const pack = readFileSync(packPath(folder, place.pack));
    const packKey = hkdf(pack.subarray(32, 64), 'leafvault 1 pack');
    const aad = Buffer.alloc(60);
    aad.write('LVCK', 'latin1');
    aad.set([1, place.type, 0, 0], 4);
    aad.write(place.pack, 8, 'hex');
    aad.write(id, 20, 'hex');
    aad.writeUInt32LE(place.counter, 52);
    aad.writeUInt32LE(place.raw, 56);
    const plain = gcm(packKey, nonce(0, place.counter), aad, pack.subarray(place.offset, place.offset + place.stored));
    const raw = place.type === 1 ? zstdDecompressSync(plain) : plain;
    expect(raw.length === place.raw, 'raw length');
    expect(createHmac('sha256', hkdf(Buffer.alloc(0), 'leafvault 1 chunk id')).update(raw).digest('hex') === id, 'chunk id');
    return raw;
  };

  // 9: lists
  const chunkIds = (id: string, height: number): string[] => {
    const page = chunk(id);
    expect(page.toString('latin1', 0, 4) === 'LVPG' && page[4] === 1 && page[5] === height, 'page');
    const size = height === 0 ? 40 : 64;
    const ids = Array.from({ length: page.readUInt32LE(8) }, (_, i) => page.toString('hex', 16 + i * size, 48 + i * size));
    return height === 0 ? ids : ids.flatMap((child) => chunkIds(child, height - 1));
  };
  const chunks = (list: List): Buffer[] => (list.root === null ? [] : chunkIds(list.root, list.height).map(chunk));

  // 10: entries
  const entriesOf = (list: List): IndependentEntry[] => chunks(list).flatMap((raw) => {
    const entries: IndependentEntry[] = [];
    for (let at = 0; at < raw.length; at += 4 + raw.readUInt32LE(at)) {
      entries.push(JSON.parse(raw.toString('utf8', at + 4, at + 4 + raw.readUInt32LE(at))) as IndependentEntry);
    }
    return entries;
  });

  return {
    chunks,
    chains: () => filesBelow(folder, 'oplog').filter((name) => basename(name) === 'head').map((name) => chainOf(folder, name.split('/')[1] ?? '', open)),
    // 11: roots; 12: facts of the kind `deleted`
    snapshots() {
      const deleted = filesBelow(folder, 'facts').filter((name) => basename(name).startsWith('deleted-')).map((name) => name.split('/')[1]);
      return filesBelow(folder, 'snapshots').filter((name) => !deleted.includes(basename(name))).flatMap((name) => {
        const root = JSON.parse(open(name, 2).toString()) as { id: string; series: string; entries: List; fenced?: string };
        expect(root.id === basename(name), name);
        return root.fenced === undefined ? [{ id: root.id, series: root.series, entries: entriesOf(root.entries) }] : [];
      });
    },
    directoriesAgree() {
      const seen = filesBelow(folder, 'packs').flatMap((name) => directoryOf(readFileSync(join(folder, name)), basename(name), hkdf));
      return seen.length === places.size && seen.every(([id, place]) => JSON.stringify(places.get(id)) === JSON.stringify(place));
    },
  };
}

// 17: chains
function chainOf(folder: string, id: string, open: (name: string, kind: number) => Buffer): IndependentChain {
  const [head, last] = [`oplog/${id}/head`, `oplog/${id}/end`];
  const digestOf = (name: string): string => createHash('sha256').update(readFileSync(join(folder, name))).digest('hex');
  const names = filesBelow(folder, `oplog/${id}`).filter((name) => /^[0-9]{10}$/.test(basename(name))).sort();
  const start = JSON.parse(open(head, 7).toString()) as Record<string, unknown>;
  expect(start['formatVersion'] === 1 && start['id'] === id, head);
  const slices: IndependentSlice[] = [];
  let [previous, at]: [string, unknown] = [digestOf(head), start['from']];
  let close: Record<string, unknown> | null = null;
  for (const [i, name] of names.entries()) {
    const payload = open(name, 7);
    const length = payload.readUInt32LE(0);
    const header = JSON.parse(payload.toString('utf8', 4, 4 + length)) as Record<string, unknown>;
    const data = payload.subarray(4 + length);
    expect(close === null && header['formatVersion'] === 1 && header['chainId'] === id && header['sequence'] === i + 1, name);
    expect(basename(name) === String(i + 1).padStart(10, '0') && header['previous'] === previous, name);
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
    expect(formatVersion === 1 && chainId === id && lastSequence === slices.length && digest === previous, last);
    expect(JSON.stringify(end) === JSON.stringify(close), `${last} and the close`);
  }
  return { head: start, slices, end: close };
}

// 4, 5: descriptor and key slots
function repositoryKey(folder: string, masterKey: Buffer): Buffer {
  const descriptor = readFileSync(join(folder, 'repository.json'));
  const { id, version, checksum } = JSON.parse(descriptor.toString()) as Record<string, unknown>;
  expect(version === 1, 'version');
  const head = descriptor.subarray(0, descriptor.lastIndexOf(',"checksum"'));
  expect(createHash('sha256').update(head).digest('hex') === checksum, 'checksum');
  const masterKeyId = Buffer.from(hkdfSync('sha256', masterKey, '', 'leafvault 1 master key id', 32)).toString('hex', 0, 8);
  for (const name of filesBelow(folder, 'keys')) {
    const slot = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, string>;
    if (slot['masterKeyId'] !== masterKeyId) continue;
    const wrapping = Buffer.from(hkdfSync('sha256', masterKey, Buffer.from(slot['salt'] ?? '', 'base64'), 'leafvault 1 key slot', 32));
    const sealed = Buffer.from(slot['sealed'] ?? '', 'base64');
    const aad = Buffer.concat([Buffer.from(`leafvault 1 key slot ${String(id)} ${slot['id']}`), createHash('sha256').update(descriptor).digest()]);
    return gcm(wrapping, sealed.subarray(0, 12), aad, sealed.subarray(12));
  }
  throw new Error('no slot for this master key');
}

// 7: directory and trailer
function directoryOf(pack: Buffer, id: string, hkdf: (salt: Uint8Array, info: string) => Buffer): [string, Place][] {
  expect(pack.toString('latin1', 0, 4) === 'LVPK' && pack.toString('hex', 8, 20) === id && pack.toString('latin1', pack.length - 4) === 'LVPE', 'pack');
  const [length, count] = [pack.readUInt32LE(pack.length - 16), pack.readUInt32LE(pack.length - 12)];
  const aad = Buffer.alloc(24);
  aad.write('LVPD\u0001', 'latin1');
  aad.write(id, 8, 'hex');
  aad.writeUInt32LE(count, 20);
  const sealed = pack.subarray(pack.length - 16 - length, pack.length - 16);
  const plain = gcm(hkdf(pack.subarray(32, 64), 'leafvault 1 pack'), nonce(1, 0), aad, sealed);
  return Array.from({ length: count }, (_, i) => [plain.toString('hex', i * 64, i * 64 + 32), placeAt(plain, i * 64, id)]);
}

function placeAt(bytes: Buffer, at: number, pack: string): Place {
  return {
    pack, type: bytes.readUInt8(at + 32), counter: bytes.readUInt32LE(at + 36), offset: bytes.readUInt32LE(at + 40),
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

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the format does not hold: ${what}`);
}
