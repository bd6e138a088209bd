// Slices that open, because somebody with the key wrote them, and still break a rule of the format: never read as if they were right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { sealObject } from '../../../src/repository/format/sealed-object.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, numberName, position } from '../../support/chain-fixture.ts';
import { collect, copyToMemory, MASTER_KEY, openTestRepository } from '../../support/repository-fixture.ts';

interface Forgery {
  readonly what: string;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly data?: Buffer;
  readonly payload?: Buffer;
  readonly because: RegExp;
}

const RAW = Buffer.from('raw bytes '.repeat(20));
const END = { createdAt: '2026-01-01T00:00:00Z', reason: 'STOPPED', at: position(10), body: {} };

const FORGERIES: readonly Forgery[] = [
  { what: 'goes back', header: { to: position(5) }, because: /cannot be/ },
  { what: 'does not move on', header: { to: position(10) }, because: /cannot be/ },
  { what: 'leaves a gap', header: { from: position(11) }, because: /goes on at/ },
  { what: 'overlaps the one before', header: { from: position(9) }, because: /goes on at/ },
  { what: 'was written behind another', header: { previous: 'a'.repeat(64) }, because: /another object/ },
  { what: 'has another number', header: { sequence: 3 }, because: /another name/ },
  { what: 'is of another chain', header: { chainId: '0'.repeat(24) }, because: /another name/ },
  { what: 'has a newer format', header: { formatVersion: 2 }, because: /format version 2/ },
  { what: 'has no format', header: { formatVersion: undefined }, because: /no format version/ },
  { what: 'has an unknown encoding', header: { encoding: 'delta' }, because: /cannot be/ },
  { what: 'has fewer bytes than it says', header: { rawBytes: RAW.length + 1 }, because: /cannot be/ },
  { what: 'says that it has more than 64 MiB', header: { encoding: 'zstd', rawBytes: 2 ** 27 }, because: /cannot be/ },
  { what: 'unpacks to fewer bytes', header: { encoding: 'zstd', rawBytes: RAW.length + 1 }, data: zstdCompressSync(RAW), because: /are due/ },
  { what: 'unpacks to more bytes', header: { encoding: 'zstd', rawBytes: RAW.length - 1 }, data: zstdCompressSync(RAW), because: /decompress/ },
  { what: 'is no zstd', header: { encoding: 'zstd' }, because: /decompress/ },
  { what: 'counts half records', header: { records: 0.5 }, because: /cannot be/ },
  { what: 'closes with data behind it', header: { end: END }, because: /cannot be/ },
  { what: 'closes elsewhere', header: { end: { ...END, at: position(20) } }, data: Buffer.alloc(0), because: /goes on at/ },
  { what: 'is empty', payload: Buffer.alloc(0), because: /header/ },
  { what: 'has a header that passes its end', payload: Buffer.from([255, 0, 0, 0, 1]), because: /header/ },
  { what: 'has a header that is no JSON', payload: Buffer.from([1, 0, 0, 0, 1]), because: /not JSON/ },
  { what: 'has a header that is no object', payload: Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from('[]')]), because: /JSON object/ },
];

test('a slice that breaks a rule is refused by name, whoever sealed it', async () => {
  const sound = createMemoryStorage();
  const first = await openTestRepository(sound);
  const writer = await beginChain(first);
  const [slice] = await appendSlices(writer, [RAW]);
  await first.close();
  const { keys } = await unlock(sound, MASTER_KEY);
  const name = numberName(writer.head.id, 2);
  const rules = {
    formatVersion: 1, chainId: writer.head.id, sequence: 2, from: position(10), to: position(20), records: 1, rawBytes: RAW.length, encoding: 'stored',
    previous: slice?.digest, createdAt: '2026-01-01T00:00:00Z', body: {},
  };
  const payloadOf = ({ header, data = RAW, payload }: Omit<Forgery, 'what' | 'because'>): Buffer => {
    const json = Buffer.from(JSON.stringify({ ...rules, ...header }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return payload ?? Buffer.concat([length, json, data]);
  };
  const withSecond = async (payload: Buffer): Promise<Awaited<ReturnType<typeof openTestRepository>>> => {
    const storage = await copyToMemory(sound);
    await storage.put(name, sealObject(keys, { kind: 'oplog', name }, payload));
    return openTestRepository(storage);
  };
  const right = await withSecond(payloadOf({}));
  assert.equal((await collect(right.chains.read(writer.head.id))).length, 2, 'what keeps all rules is read');
  await right.close();
  for (const { what, because, ...forgery } of FORGERIES) {
    const repository = await withSecond(payloadOf(forgery));
    await assert.rejects(collect(repository.chains.read(writer.head.id)), (error: Error & { code?: string }) => {
      assert.equal(error.code, what === 'has a newer format' ? 'REPOSITORY_FORMAT_NEWER' : 'REPOSITORY_CHAIN_BROKEN', what);
      assert.match(error.message, because, what);
      assert.ok(error.message.includes(name), what);
      return true;
    });
    assert.deepEqual((await repository.check({ readData: true })).problems.map(({ object }) => object), [name], what);
    await repository.close();
  }
});
