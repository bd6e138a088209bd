import assert from 'node:assert/strict';
import { hash, hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Binary, deserialize, Decimal128, Long, ObjectId, serialize, Timestamp, type Document } from 'bson';
import fc from 'fast-check';
import { compileKernel, kernelBytesFile } from '../../../scripts/build-kernel.ts';
import {
  bytesOf, CHUNK_SIZES, chooseCutMask, chunkBytesOf, chunkDocumentsOf, createKernel, cutRule, documentsOf, hashOf, newHashState, orderedHashOf, rawId,
  RECORD_BYTES, type CutRule, type HashState,
} from '../../../src/engine/bson/index.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { xxh64 } from './xxh64.ts';

const SEED = Buffer.alloc(32, 7);
const seeds = Buffer.from(hkdfSync('sha256', SEED, Buffer.alloc(0), 'leafvault document hashes v1', 24));
const [SEED_A, SEED_B, SEED_ID] = [seeds.readBigUInt64LE(0), seeds.readBigUInt64LE(8), seeds.readBigUInt64LE(16)];
const LANE = 1n << 64n;
const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

interface Framed {
  readonly documents: Buffer[];
  readonly records: Buffer;
  readonly cuts: { readonly end: number; readonly documents: number }[];
  readonly state: HashState;
}

function frameAll(input: Uint8Array, options: { array?: boolean; cut?: CutRule; state?: HashState } = {}): Framed {
  const state = options.state ?? newHashState();
  const framed: { documents: Buffer[]; records: Buffer[]; cuts: { end: number; documents: number }[] } = { documents: [], records: [], cuts: [] };
  let base = 0;
  createKernel(SEED).frame(input, {
    ...options,
    state,
    onSlice: (slice) => {
      const bytes = Buffer.from(slice.bytes);
      const ends = [...slice.offsets, bytes.length];
      for (let i = 0; i < slice.documents; i += 1) framed.documents.push(bytes.subarray(ends[i], ends[i + 1]));
      framed.records.push(Buffer.from(slice.records));
      for (let i = 0; i < slice.cuts.length; i += 2) framed.cuts.push({ end: base + slice.cuts[i]!, documents: slice.cuts[i + 1]! });
      base += bytes.length;
    },
  });
  return { ...framed, records: Buffer.concat(framed.records), state };
}

const value = fc.oneof(
  fc.integer(), fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => new Binary(bytes)), fc.constant(new Timestamp(0n)), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
  fc.constant(Decimal128.fromString('1.50')), fc.constant(new ObjectId()), fc.array(fc.integer(), { maxLength: 5 }), fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), fc.constant(/a+/i),
);
const document: fc.Arbitrary<Document> = fc.tuple(fc.boolean(), value, fc.dictionary(fc.string({ maxLength: 8 }).filter((name) => !name.includes('\0')), value, { maxKeys: 6 }))
  .map(([first, id, rest]) => (first ? { _id: id, ...rest } : { ...rest, tail: 1, _id: id }));
const documents = fc.array(document.map((one) => Buffer.from(serialize(one))), { maxLength: 30 });

function arrayOf(list: readonly Buffer[]): Buffer {
  const parts = list.flatMap((one, index) => [Buffer.of(3), Buffer.from(`${index}\0`), one]);
  const body = Buffer.concat([Buffer.alloc(4), ...parts, Buffer.of(0)]);
  body.writeInt32LE(body.length, 0);
  return body;
}

describe('kernel', () => {
  it('runs the bytes that its source compiles to', async () => {
    const committed = await readFile(new URL('../../../src/engine/bson/kernel/kernel-bytes.ts', import.meta.url), 'utf8');
    assert.equal(committed, kernelBytesFile(await compileKernel()), 'run npm run build:kernel');
  });

  it('frames documents side by side and in arrays alike, with their ids', () => {
    fc.assert(fc.property(documents, (list) => {
      const plain = frameAll(Buffer.concat(list));
      const array = frameAll(arrayOf(list), { array: true });
      assert.deepEqual(plain.documents, list);
      assert.deepEqual(array.documents, list);
      assert.deepEqual(array.records, plain.records);
      assert.equal(documentsOf(plain.state), list.length);
      assert.equal(bytesOf(plain.state), Buffer.concat(list).length);
    }));
  });

  it('hashes as XXH64 with seeds derived from the repository does', () => {
    fc.assert(fc.property(documents, (list) => {
      const framed = frameAll(Buffer.concat(list));
      let [sumA, sumB, orderA, orderB] = [0n, 0n, 0n, 0n];
      list.forEach((one, index) => {
        const [a, b, id] = [xxh64(one, SEED_A), xxh64(one, SEED_B), rawId(one)!];
        sumA = (sumA + a) % LANE;
        sumB = (sumB + b) % LANE;
        orderA = (orderA * 0x9e3779b185ebca87n + a) % LANE;
        orderB = (orderB * 0xc2b2ae3d27d4eb4fn + b) % LANE;
        const record = framed.records.subarray(index * RECORD_BYTES);
        assert.equal(record.readBigUInt64LE(0), xxh64(id.subarray(1), (SEED_ID + BigInt(id[0]!)) % LANE));
        assert.equal(record.readBigUInt64LE(0), createKernel(SEED).idHash(id));
        assert.deepEqual([record.readBigUInt64LE(8), record.readBigUInt64LE(16), record.readUInt32LE(24)], [a, b, one.length]);
      });
      assert.equal(hashOf(framed.state), hex(sumA) + hex(sumB));
      assert.equal(orderedHashOf(framed.state), hex(orderA) + hex(orderB));
    }));
  });

  it('gives the same sum in any order and another ordered hash', () => {
    const list = Array.from({ length: 50 }, (_, n) => Buffer.from(serialize({ _id: n, text: 'x'.repeat(n * 7) })));
    const forward = frameAll(Buffer.concat(list)).state;
    const backward = frameAll(Buffer.concat(list.toReversed())).state;
    assert.equal(hashOf(forward), hashOf(backward));
    assert.notEqual(orderedHashOf(forward), orderedHashOf(backward));
  });

  it('frames more documents than one slice holds, with the same cuts as in pieces', () => {
    const list = Array.from({ length: 40_000 }, (_, n) => Buffer.from(serialize({ _id: n, pad: 'p'.repeat(n % 90) })));
    const whole = frameAll(arrayOf(list), { array: true, cut: cutRule(255) });
    assert.equal(whole.documents.length, 40_000);
    const state = newHashState();
    const cuts: { end: number; documents: number }[] = [];
    let base = 0;
    for (let at = 0; at < list.length; at += 777) {
      const piece = Buffer.concat(list.slice(at, at + 777));
      for (const cut of frameAll(piece, { cut: cutRule(255), state }).cuts) cuts.push({ ...cut, end: cut.end + base });
      base += piece.length;
    }
    assert.deepEqual(cuts, whole.cuts);
    assert.equal(hashOf(state), hashOf(whole.state));
    assert.equal(orderedHashOf(state), orderedHashOf(whole.state));
  });

  it('cuts on document borders, within the stated sizes', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 40 }), fc.constantFrom(0, 1, 7, 1023), (sizes, mask) => {
      const list = sizes.map((size, n) => Buffer.from(serialize({ _id: n, pad: Buffer.alloc(size) })));
      const framed = frameAll(Buffer.concat(list), { cut: cutRule(mask) });
      const ends = new Set(list.reduce<number[]>((sums, one) => [...sums, (sums.at(-1) ?? 0) + one.length], [0]));
      let [from, seen] = [0, 0];
      for (const cut of framed.cuts) {
        assert.ok(ends.has(cut.end));
        assert.ok(cut.end - from <= CHUNK_SIZES.maxBytes || cut.documents === 1);
        from = cut.end;
        seen += cut.documents;
      }
      assert.equal(seen + chunkDocumentsOf(framed.state), list.length);
      assert.equal(chunkBytesOf(framed.state), Buffer.concat(list).length - from);
    }), { numRuns: 30 });
  });

  it('makes chunks of about 64 to 128 KiB for any usual document size', () => {
    for (const size of [100, 400, 1100, 5000, 20_000, 60_000]) {
      const list = Array.from({ length: Math.ceil(12e6 / size) }, (_, n) => Buffer.from(serialize({ _id: n, pad: Buffer.alloc(size - 40, n) })));
      const framed = frameAll(Buffer.concat(list), { cut: cutRule(chooseCutMask(size)) });
      const average = Buffer.concat(list).length / framed.cuts.length;
      assert.ok(average > 48 * 1024 && average < 136 * 1024, `${size}: ${average}`);
    }
  });

  it('moves at most one boundary for each neighbour when a document goes', () => {
    // What was asked for is one of 1,000,000.
    const documents = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 1_000_000 : 60_000;
    const rule = { cut: cutRule(chooseCutMask(120)) };
    const list = Array.from({ length: documents }, (_, n) => Buffer.from(serialize({ _id: n, at: n * 7.5, pad: `document ${n} `.repeat(4) })));
    const chunksOf = (bytes: Buffer): Set<string> => new Set([0, ...frameAll(bytes, rule).cuts.map((cut) => cut.end)].map((from, i, all) => hash('sha1', bytes.subarray(from, all[i + 1]))));
    const whole = Buffer.concat(list);
    const before = chunksOf(whole);
    assert.ok(before.size > 50, `${before.size} chunks`);
    for (const gone of [0, 5_993, documents / 2, documents - 1]) {
      const start = list.slice(0, gone).reduce((sum, { length }) => sum + length, 0);
      const fresh = [...chunksOf(Buffer.concat([whole.subarray(0, start), whole.subarray(start + list[gone]!.length)]))].filter((chunk) => !before.has(chunk));
      assert.ok(fresh.length <= 2, `document ${gone}: ${fresh.length} new chunks`);
    }
  });

  it('finds the members of its id set and takes their records out of the sums', () => {
    const list = Array.from({ length: 3000 }, (_, n) => Buffer.from(serialize({ _id: n % 2 === 0 ? n : `s${n}`, n })));
    const kernel = createKernel(SEED, 1000);
    const chosen = (n: number): boolean => n % 7 === 0;
    list.forEach((one, n) => { if (chosen(n)) kernel.addToSet(rawId(one)!); });
    const state = newHashState();
    let records = Buffer.alloc(0);
    kernel.frame(Buffer.concat(list), { state, onSlice: (slice) => {
      const flags = kernel.membersOf(slice)!;
      flags.forEach((flag, n) => assert.equal(flag === 1, chosen(n)));
      records = Buffer.from(slice.records);
    } });
    const rest = frameAll(Buffer.concat(list.filter((_, n) => !chosen(n)))).state;
    assert.equal(kernel.subtractMembers(records, state), list.filter((_, n) => chosen(n)).length);
    assert.deepEqual([hashOf(state), documentsOf(state), bytesOf(state)], [hashOf(rest), documentsOf(rest), bytesOf(rest)]);
    const kept = newHashState();
    kernel.addNonMembers(records, kept);
    assert.deepEqual([hashOf(kept), orderedHashOf(kept), documentsOf(kept), bytesOf(kept)], [hashOf(rest), orderedHashOf(rest), documentsOf(rest), bytesOf(rest)]);
  });

  it('refuses malformed input and never reads past its end', () => {
    const good = arrayOf([Buffer.from(serialize({ a: 'text', b: { c: [1, 2] }, d: new Binary(Buffer.from('xy')), _id: 'id' })), Buffer.from(serialize({ _id: 1 }))]);
    const kernel = createKernel(SEED);
    const attempt = (input: Buffer, array: boolean): boolean => {
      try {
        kernel.frame(input, { array, state: newHashState(), onSlice: (slice) => assert.ok(slice.bytes.length <= input.length) });
        return true;
      } catch (error) {
        assert.ok(isLeafvaultError(error, 'BSON_MALFORMED'), String(error));
        return false;
      }
    };
    assert.ok(attempt(good, true));
    for (let length = 0; length < good.length; length += 1) assert.ok(!attempt(good.subarray(0, length), true));
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, array) => {
      const broken = Buffer.from(array ? good : good.subarray(7));
      for (const [at, byte] of changes) broken[at % broken.length] = byte;
      attempt(broken, array);
    }), { numRuns: 3000 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, array) => void attempt(Buffer.from(bytes), array)), { numRuns: 3000 });
  });

  it('takes a document without an id, and one whose id stands last', () => {
    const none = Buffer.from(serialize({ a: 1 }));
    const last = Buffer.from(serialize({ a: 1, _id: 'x' }));
    const records = frameAll(Buffer.concat([none, last])).records;
    assert.equal(records.readUInt32LE(28), 0);
    assert.equal(last[records.readUInt32LE(RECORD_BYTES + 28)], 2);
    assert.deepEqual(deserialize(last), { a: 1, _id: 'x' });
  });
});
