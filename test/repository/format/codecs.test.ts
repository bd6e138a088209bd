// Everything that lies on disk: what is written reads back, what is altered is refused by name, whatever the bytes.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, readChunkEntry, writeChunkEntry, type ChunkEntry } from '../../../src/repository/format/chunk-entry.ts';
import { readChecksummedJson, writeChecksummedJson } from '../../../src/repository/format/checksummed-json.ts';
import { openDumpManifest, sealDumpManifest } from '../../../src/repository/format/dump-objects.ts';
import { readEntryRecords, writeEntryRecord } from '../../../src/repository/format/entry-record.ts';
import { readIndexPayload, writeIndexPayload } from '../../../src/repository/format/index-object.ts';
import { makeKeySlot, openKeySlot, parseKeySlot } from '../../../src/repository/format/key-slot.ts';
import { deriveKeys } from '../../../src/repository/format/keys.ts';
import { readPage, writeBranchPage, writeLeafPage } from '../../../src/repository/format/list-page.ts';
import { openDirectory, readPackHeader, readPackTrailer, sealDirectory, writePackHeader } from '../../../src/repository/format/pack.ts';
import { makeRepositoryFile, parseRepositoryFile } from '../../../src/repository/format/repository-file.ts';
import { openRoot, sealRoot } from '../../../src/repository/format/root.ts';
import type { Dump } from '../../../src/repository/index.ts';
import { openObject, sealObject } from '../../../src/repository/format/sealed-object.ts';

const KEYS = deriveKeys(Buffer.alloc(32, 1));
const ID = '5f0000000000000000000001';

/** Records as our code makes them. */
const PLAIN = { noNullPrototype: true } as const;
const bytes = (length: number): fc.Arbitrary<Buffer> => fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const chunkEntry: fc.Arbitrary<ChunkEntry> = fc.record({
  id: bytes(32), type: fc.integer({ min: 0, max: 255 }), flags: fc.integer({ min: 0, max: 255 }), counter: u32, offset: u32, storedLength: u32,
  rawLength: u32, base: u32, packNumber: u32,
}, PLAIN);
/** The same as far as a table of so many bases allows: a delta has its base there. */
const withBases = (entries: readonly ChunkEntry[], bases: number): ChunkEntry[] =>
  entries.map((entry) => (entry.type !== CHUNK_TYPES.delta ? entry : bases === 0 ? { ...entry, type: CHUNK_TYPES.zstd } : { ...entry, base: entry.base % bases }));
/** As an index has them, each in one of so many packs. */
const inPacks = (entries: readonly ChunkEntry[], packs: number): Buffer => {
  const packed = Buffer.alloc(entries.length * CHUNK_ENTRY_BYTES);
  entries.forEach((entry, i) => writeChunkEntry(packed, i * CHUNK_ENTRY_BYTES, { ...entry, packNumber: entry.packNumber % packs }));
  return packed;
};
const ref = fc.record({ id: bytes(32), rawBytes: u32, records: u32 }, PLAIN);
const pageRef = fc.record({ id: bytes(32), pageBytes: u32, chunks: size, records: size, rawBytes: size }, PLAIN);

describe('what is written', () => {
  test('as a chunk entry reads back', () => {
    fc.assert(fc.property(chunkEntry, (entry) => {
      const target = Buffer.alloc(CHUNK_ENTRY_BYTES * 2, 0xee);
      writeChunkEntry(target, CHUNK_ENTRY_BYTES, entry);
      assert.deepEqual(readChunkEntry(target, CHUNK_ENTRY_BYTES), entry);
      assert.ok(target.subarray(0, CHUNK_ENTRY_BYTES).every((byte) => byte === 0xee));
    }));
  });

  test('as a page reads back', () => {
    fc.assert(fc.property(fc.array(ref, { maxLength: 50 }), fc.array(pageRef, { maxLength: 50 }), fc.integer({ min: 1, max: 9 }), (refs, pages, height) => {
      assert.deepEqual(readPage(Buffer.alloc(32), writeLeafPage(refs), 0), { height: 0, refs });
      assert.deepEqual(readPage(Buffer.alloc(32), writeBranchPage(height, pages), height), { height, pages });
    }));
  });

  test('as entries reads back', () => {
    const list = { root: 'ab'.repeat(32), height: 0, chunks: 1, records: 2, rawBytes: 3 };
    fc.assert(fc.property(fc.array(fc.record({ name: fc.string({ unit: 'binary' }), body: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })) }), { maxLength: 5 }), (made) => {
      const entries = made.map((entry) => ({ ...entry, lists: { scan: list } }));
      // What JSON can't tell apart (-0) is compared as JSON.
      const back = readEntryRecords('a test', Buffer.concat(entries.map(writeEntryRecord)));
      assert.equal(JSON.stringify(back), JSON.stringify(entries));
    }), { numRuns: 40 });
  });

  test('as an index reads back', () => {
    const pack = fc.record({ id: bytes(12).map((id) => id.toString('hex')), chunks: u32, sizeBytes: size }, PLAIN);
    fc.assert(fc.property(fc.array(pack, { minLength: 1 }), fc.array(chunkEntry), (packs, entries) => {
      const packed = inPacks(withBases(entries, 0), packs.length);
      assert.deepEqual(readIndexPayload('indexes/x', writeIndexPayload({ packs, entries: packed })), { packs, entries: packed });
      if (entries.length > 0) assert.throws(() => readIndexPayload('indexes/x', writeIndexPayload({ packs: [], entries: packed })), { code: 'REPOSITORY_OBJECT_DAMAGED', message: /a pack that it does not name/ });
    }));
  });

  test('as an index with bases reads back, and shorter or longer it is refused', () => {
    fc.assert(fc.property(fc.array(chunkEntry), fc.array(bytes(32), { minLength: 1, maxLength: 9 }), (entries, ids) => {
      const packed = inPacks(withBases(entries, ids.length), 1);
      const index = { packs: [{ id: ID, chunks: 1, sizeBytes: 1 }], entries: packed, bases: Buffer.concat(ids) };
      const payload = writeIndexPayload(index);
      assert.deepEqual(readIndexPayload('indexes/x', payload), index);
      assert.throws(() => readIndexPayload('indexes/x', payload.subarray(0, -32)), { code: 'REPOSITORY_OBJECT_DAMAGED' });
      assert.throws(() => readIndexPayload('indexes/x', Buffer.concat([payload, Buffer.alloc(32)])), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    }));
  });

  test('as an index or a directory with a delta is refused without its base', () => {
    const entry = { id: Buffer.alloc(32, 1), type: CHUNK_TYPES.delta, flags: 0, counter: 1, offset: 64, storedLength: 20, rawLength: 90, base: 2, packNumber: 0 };
    const entries = Buffer.alloc(CHUNK_ENTRY_BYTES);
    writeChunkEntry(entries, 0, entry);
    const bases = Buffer.alloc(2 * 32);
    assert.throws(() => readIndexPayload('indexes/x', writeIndexPayload({ packs: [{ id: ID, chunks: 1, sizeBytes: 1 }], entries, bases })), { code: 'REPOSITORY_OBJECT_DAMAGED', message: /not its base/ });
    const end = sealDirectory(KEYS.packKey(Buffer.alloc(32)), Buffer.alloc(12), Buffer.concat([entries, bases]), 1);
    assert.throws(() => openDirectory(KEYS.packKey(Buffer.alloc(32)), '00'.repeat(12), end.subarray(0, -16), 1), { code: 'REPOSITORY_OBJECT_DAMAGED' });
  });

  test('as a pack header, directory and trailer reads back', () => {
    fc.assert(fc.property(fc.array(chunkEntry, { maxLength: 20 }), bytes(12), bytes(32), fc.array(bytes(32), { maxLength: 5 }), (any, id, salt, ids) => {
      const entries = withBases(any, ids.length);
      assert.deepEqual(readPackHeader(id.toString('hex'), writePackHeader({ id, salt })), { id, salt });
      const plain = Buffer.alloc(entries.length * CHUNK_ENTRY_BYTES);
      entries.forEach((entry, i) => writeChunkEntry(plain, i * CHUNK_ENTRY_BYTES, entry));
      const key = KEYS.packKey(salt);
      const end = sealDirectory(key, id, Buffer.concat([plain, ...ids]), entries.length);
      const trailer = readPackTrailer(id.toString('hex'), end.subarray(-16));
      assert.deepEqual(trailer, { directoryBytes: end.length - 16, chunks: entries.length });
      assert.deepEqual(openDirectory(key, id.toString('hex'), end.subarray(0, -16), trailer.chunks), { entries, bases: Buffer.concat(ids) });
    }));
  });

  test('as a root reads back and belongs to its name', () => {
    const root = {
      id: ID, createdAt: '2026-01-01T00:00:00Z', series: 'a cluster', body: { any: ['thing', { deep: null }] },
      entries: { root: null, height: 0, chunks: 0, records: 0, rawBytes: 0 },
      stats: { chunks: 1, rawBytes: 2, newChunks: 3, newRawBytes: 4, storedBytes: 5 },
    };
    const sealed = sealRoot(KEYS, root);
    assert.deepEqual(openRoot(KEYS, ID, sealed), { formatVersion: 1, ...root });
    assert.throws(() => openRoot(KEYS, '5f0000000000000000000002', sealed), { code: 'REPOSITORY_OBJECT_DAMAGED' });
  });

  test('as a key slot opens with its master key and no other', () => {
    const file = makeRepositoryFile(ID, '2026-01-01T00:00:00Z');
    assert.deepEqual(parseRepositoryFile(file.bytes), file);
    const [masterKey, repositoryKey] = [randomBytes(32), randomBytes(32)];
    const slot = parseKeySlot(ID, makeKeySlot(file, { id: ID, createdAt: '' }, { masterKey, repositoryKey }));
    assert.deepEqual(openKeySlot(file, slot, masterKey), repositoryKey);
    assert.equal(openKeySlot(file, slot, randomBytes(32)), null);
    assert.equal(openKeySlot(makeRepositoryFile(ID, '2026-01-01T00:00:01Z'), slot, masterKey), null, 'the slot is bound to the descriptor');
    assert.throws(() => parseKeySlot('5f0000000000000000000002', makeKeySlot(file, { id: ID, createdAt: '' }, { masterKey, repositoryKey })), { code: 'REPOSITORY_OBJECT_DAMAGED' });
  });

  test('as checksummed JSON shows any flipped bit', () => {
    const written = writeChecksummedJson({ a: 'text "with" quotes', b: 1 });
    assert.deepEqual(readChecksummedJson('x', written), { a: 'text "with" quotes', b: 1 });
    for (let bit = 0; bit < written.length * 8; bit += 1) {
      const altered = Buffer.from(written);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => readChecksummedJson('x', altered), { code: 'REPOSITORY_OBJECT_DAMAGED' }, `bit ${bit}`);
    }
  });
});

describe('a sealed object', () => {
  test('is bound to kind, name, version and every bit', () => {
    const identity = { kind: 'fact', name: 'facts/a/b' } as const;
    const sealed = sealObject(KEYS, identity, Buffer.from('payload'));
    assert.equal(openObject(KEYS, identity, sealed).toString(), 'payload');
    assert.notDeepEqual(sealObject(KEYS, identity, Buffer.from('payload')), sealed, 'no two sealings are the same');
    assert.throws(() => openObject(KEYS, { ...identity, name: 'facts/a/c' }, sealed), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    assert.throws(() => openObject(KEYS, { ...identity, kind: 'session' }, sealed), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    assert.throws(() => openObject(deriveKeys(Buffer.alloc(32, 2)), identity, sealed), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => openObject(KEYS, identity, altered), isNamed, `bit ${bit}`);
    }
  });

  test('whose version was flipped is damaged, not newer', () => {
    const sealed = sealObject(KEYS, { kind: 'fact', name: 'facts/a/b' }, Buffer.from('payload'));
    for (const bit of [1, 2, 3, 4, 5, 6, 7]) {
      const flipped = Buffer.from(sealed);
      flipped[4] = 1 ^ (1 << bit);
      assert.throws(() => openObject(KEYS, { kind: 'fact', name: 'facts/a/b' }, flipped), { code: 'REPOSITORY_OBJECT_DAMAGED', message: /its version was altered/ });
    }
  });

  test('of a newer version is refused by name', () => {
    const sealed = sealObject(KEYS, { kind: 'fact', name: 'facts/a/b' }, Buffer.from('payload'));
    // Its tag speaks of that version, as that of a newer program would.
    [sealed[4], sealed[50]] = [2, (sealed[50] ?? 0) ^ 1];
    assert.throws(() => openObject(KEYS, { kind: 'fact', name: 'facts/a/b' }, sealed), { code: 'REPOSITORY_FORMAT_NEWER', message: /facts\/a\/b.*version 2/ });
  });
});

describe('what is JSON and no more', () => {
  const list = { root: null, height: 0, chunks: 0, records: 0, rawBytes: 0 };
  const record = (value: unknown): Buffer => {
    const json = Buffer.from(JSON.stringify(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return Buffer.concat([length, json]);
  };

  test('is no entry', () => {
    for (const wrong of [null, 1, 'x', [], {}, { name: 'a', body: null, lists: {} }, { name: 'a', body: {}, lists: null }, { name: 'a', body: [], lists: {} }, { name: 'a', body: {}, lists: { data: { ...list, height: -1 } } }]) {
      assert.throws(() => readEntryRecords('a chunk', record(wrong)), { code: 'REPOSITORY_OBJECT_DAMAGED' }, JSON.stringify(wrong));
    }
    assert.equal(readEntryRecords('a chunk', record({ name: 'a', body: {}, lists: { data: list } })).length, 1);
  });

  test('is no manifest of a dump, whatever it counts', () => {
    const sound = { id: ID, createdAt: '2026-01-01T00:00:00Z', parts: 1, rawBytes: 2, storedBytes: 3, sha256: 'ab'.repeat(32), body: {} };
    const open = (changes: object): unknown => openDumpManifest(KEYS, ID, sealDumpManifest(KEYS, { ...sound, ...changes } as Dump));
    assert.deepEqual(open({}), sound);
    for (const changes of [{ parts: 1e308 }, { parts: -1 }, { parts: 1.5 }, { parts: 10_000_000_000 }, { rawBytes: -1 }, { sha256: 'x' }, { body: [] }]) assert.throws(() => open(changes), { code: 'REPOSITORY_OBJECT_DAMAGED' }, JSON.stringify(changes));
  });
});

describe('any bytes at all', () => {
  const anything = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
  /** Bytes that begin right, so that the reader gets further. */
  const beginning = (head: string): fc.Arbitrary<Buffer> => fc.tuple(fc.constant(Buffer.from(head, 'latin1')), anything).map((parts) => Buffer.concat(parts));

  const readers: Readonly<Record<string, readonly [fc.Arbitrary<Buffer>, (input: Buffer) => unknown]>> = {
    'as repository.json': [anything, parseRepositoryFile],
    'as a key slot': [anything, (input) => parseKeySlot(ID, input)],
    'as a sealed object': [beginning('LVOB\u0001\u0002\0\0'), (input) => openRoot(KEYS, ID, input)],
    'as a page': [beginning('LVPG\u0001\0'), (input) => readPage(Buffer.alloc(32), input, 0)],
    'as a branch page': [beginning('LVPG\u0001\u0003'), (input) => readPage(Buffer.alloc(32), input, 3)],
    'as an index': [anything, (input) => readIndexPayload('indexes/x', input)],
    'as entries': [anything, (input) => readEntryRecords('x', input)],
    'as a pack header': [beginning('LVPK\u0001'), (input) => readPackHeader(ID, input)],
    'as a directory': [anything, (input) => openDirectory(Buffer.alloc(32), ID, input, 3)],
  };
  for (const [name, [input, read]] of Object.entries(readers)) {
    test(`${name} are read or refused by name, never crash`, () => {
      fc.assert(fc.property(input, (given) => {
        try {
          read(given);
        } catch (error) {
          assert.ok(isNamed(error), String(error));
        }
      }), { numRuns: 300 });
    });
  }
});

function isNamed(error: unknown): boolean {
  return error instanceof LeafvaultError && (error.code === 'REPOSITORY_OBJECT_DAMAGED' || error.code === 'REPOSITORY_FORMAT_NEWER');
}
