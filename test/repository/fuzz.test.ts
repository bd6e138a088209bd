// Random damage to real objects, from outside and behind the seal: what is read is what was written, or an error of the repository's that names
// something. Never a crash, never memory or time without bound.
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { CHUNK_ENTRY_BYTES, writeChunkEntry } from '../../src/repository/format/chunk-entry.ts';
import { writeChecksummedJson } from '../../src/repository/format/checksummed-json.ts';
import { openDirectory, readPackHeader, readPackTrailer, sealDirectory, type Directory } from '../../src/repository/format/pack.ts';
import { OBJECT_KINDS, openObject, sealObject, type ObjectKind } from '../../src/repository/format/sealed-object.ts';
import { readEntryRecords } from '../../src/repository/format/entry-record.ts';
import { readPage } from '../../src/repository/format/list-page.ts';
import { isLeafvaultError, type LeafvaultError } from '../../src/foundation/errors.ts';
import type { RepositoryReader } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { kindOfName, makeEveryKind, observe, type EveryKind, type Observed } from '../support/every-kind.ts';
import { harm, harmed, mutate, mutateJson, mutation, type Mutation } from '../support/mutate.ts';
import { collect, copyToMemory, objectNames, openTestRepository } from '../support/repository-fixture.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const RUNS = LONG ? 4_000 : 24;
const SEED = Number(process.env['LEAFVAULT_TEST_SEED'] ?? Date.now() % 2 ** 31);
/** Of one round of everything that is done with a damaged store. */
const MOST_MS = 60_000;
const MOST_GROWTH_BYTES = 400 * 1024 * 1024;

let sound: EveryKind;
before(async () => { sound = await makeEveryKind(); });

/** Rounds that end in time and in memory; the figures go to the diagnostics. */
function meter(context: TestContext): { readonly round: (run: () => Promise<Observed>) => Promise<void>; readonly tell: () => void } {
  const codes = new Map<string, number>();
  const counted = { rounds: 0, opened: 0, slowestMs: 0 };
  const before = process.resourceUsage().maxRSS * 1024;
  return {
    async round(run) {
      const from = performance.now();
      const { problems, errors } = await run();
      const ms = performance.now() - from;
      assert.ok(ms < MOST_MS, `a round took ${Math.round(ms)} ms`);
      counted.rounds += 1;
      counted.slowestMs = Math.max(counted.slowestMs, Math.round(ms));
      if (problems !== null) counted.opened += 1;
      for (const { code } of [...errors.values(), ...(problems ?? [])]) codes.set(code, (codes.get(code) ?? 0) + 1);
    },
    tell() {
      const grown = process.resourceUsage().maxRSS * 1024 - before;
      context.diagnostic(`seed ${SEED}: ${counted.rounds} rounds, ${counted.opened} of them could be checked, the slowest ${counted.slowestMs} ms, memory grew by ${Math.round(grown / 1024 / 1024)} MiB; ${[...codes].map(([code, count]) => `${count} x ${code}`).join(', ')}`);
      assert.ok(grown < MOST_GROWTH_BYTES, `memory grew by ${grown} bytes`);
      assert.ok(codes.size >= 4, 'the damage was noticed in different ways');
    },
  };
}

describe('a store', () => {
  test('with an object of every kind is whole before anything is done to it', async () => {
    assert.deepEqual([...sound.kinds.keys()].sort(), [
      'bad', 'catalog/manifest', 'catalog/part', 'facts/deleted', 'facts/other', 'generations', 'indexes', 'keys', 'oplog/end', 'oplog/from', 'oplog/head', 'oplog/slice', 'packs',
      'repository.json', 'sessions/end', 'sessions/session', 'snapshots/behind a fence', 'snapshots/first place',
    ]);
    const { problems, read, errors } = await observe(await copyToMemory(sound.storage), sound, 'untouched');
    assert.deepEqual(problems, []);
    assert.deepEqual([...errors.keys()], [...sound.deleted.keys()]);
    assert.deepEqual([...read].sort(), [...sound.contents.keys(), ...sound.chains.keys(), ...sound.dumps.keys(), 'write'].sort());
  });

  test(`that is damaged at random gives what was written or a named error (${RUNS})`, async (context) => {
    const { round, tell } = meter(context);
    await fc.assert(fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 3 }), async (harms) => {
      const { storage, touched } = await harmed(sound.storage, harms);
      await round(() => observe(storage, sound, `${touched.join(', ')} (${JSON.stringify(harms)})`));
    }), { numRuns: RUNS, seed: SEED });
    tell();
  });

  test(`with damage behind the seal, as a faulty writer or a forger with the key would leave it, is read or refused by name (${RUNS})`, async (context) => {
    const { round, tell } = meter(context);
    const names = (await objectNames(sound.storage)).filter((name) => !name.startsWith('packs/'));
    await fc.assert(fc.asyncProperty(fc.nat({ max: names.length - 1 }), fc.array(mutation, { minLength: 1, maxLength: 2 }), async (object, mutations) => {
      const name = names[object] ?? '';
      const forged = forge(name, await sound.storage.get(name), mutations);
      const storage = await copyToMemory(sound.storage, (each, bytes) => (each === name ? forged : bytes));
      await round(() => observeForged(storage, `${name} (${JSON.stringify(mutations)})`));
    }), { numRuns: RUNS, seed: SEED });
    tell();
  });
});

describe('a reader of bytes', () => {
  const raws = async (): Promise<{ readonly pages: readonly (readonly [Buffer, number])[]; readonly entries: readonly Buffer[] }> => {
    const repository = await openTestRepository(await copyToMemory(sound.storage));
    const reader = await repository.openReader();
    const [pages, entries]: [[Buffer, number][], Buffer[]] = [[], []];
    for (const root of await collect(repository.listSnapshots())) {
      pages.push([await reader.readChunk(Buffer.from(root.entries.root ?? '', 'hex')), root.entries.height]);
      for await (const { raw } of reader.chunks(root.entries)) entries.push(raw);
    }
    await reader.close();
    await repository.close();
    return { pages, entries };
  };

  test('takes mutated pages and entries, or refuses them by name', async () => {
    const { pages, entries } = await raws();
    const refuses = (read: () => unknown): void => {
      try {
        read();
      } catch (error) {
        assert.ok(isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED'), error instanceof Error ? error.stack : String(error));
      }
    };
    fc.assert(fc.property(fc.nat(), mutation, (which, each) => {
      const [page, height] = pages[which % pages.length] as readonly [Buffer, number];
      const entry = entries[which % entries.length] as Buffer;
      refuses(() => readPage(Buffer.alloc(32), mutate(page, each, entry), height));
      refuses(() => readEntryRecords('a chunk', mutate(entry, each, page)));
      refuses(() => readEntryRecords('a chunk', record(mutateJson(JSON.parse(entry.toString('utf8', 4, 4 + entry.readUInt32LE(0))) as unknown, each))));
    }), { numRuns: LONG ? 100_000 : 1_000, seed: SEED });
  });

  test('of a directory that says anything about its chunks gives those that are so, and refuses the others by name', async () => {
    const [pack = ''] = (await objectNames(sound.storage)).filter((name) => name.startsWith('packs/'));
    const bytes = await sound.storage.get(pack);
    const [id, trailer] = [pack.slice(-24), readPackTrailer(pack.slice(-24), bytes.subarray(-16))];
    const key = sound.keys.packKey(readPackHeader(id, bytes).salt);
    const at = bytes.length - 16 - trailer.directoryBytes;
    const plain = plainOf(openDirectory(key, id, bytes.subarray(at, -16), trailer.chunks));
    await fc.assert(fc.asyncProperty(mutation, async (each) => {
      const directory = mutate(plain, each, Buffer.alloc(64, 1)).subarray(0, 1 << 20);
      const forged = Buffer.concat([bytes.subarray(0, at), sealDirectory(key, Buffer.from(id, 'hex'), directory, each.value % 5 === 0 ? Math.floor(directory.length / 64) : trailer.chunks)]);
      // Without indexes the directories are all that there is.
      const storage = await copyToMemory(sound.storage, (name, sealed) => (name.startsWith('indexes/') ? null : name === pack ? forged : sealed));
      await observe(storage, sound, JSON.stringify(each));
    }), { numRuns: LONG ? 1_000 : 6, seed: SEED });
  });
});

/** As `observe`, but what comes out may be what was forged. */
async function observeForged(storage: Storage, where: string): Promise<Observed> {
  const free: EveryKind = { ...sound, contents: new Map(), deleted: new Map(), chains: new Map(), dumps: new Map() };
  const repository = await openTestRepository(storage, { retry: { attempts: 1, firstDelayMs: 1 } }).catch(() => null);
  if (repository === null) return observe(storage, free, where);
  const errors = new Map<string, LeafvaultError>();
  const attempt = async (what: string, run: () => Promise<unknown>): Promise<void> => {
    await run().catch((error: unknown) => {
      assert.ok(isLeafvaultError(error) && error.code.startsWith('REPOSITORY_') && error.code !== 'REPOSITORY_WORKER_FAILED', `${where}: ${what}: ${error instanceof Error ? error.stack : String(error)}`);
      errors.set(what, error);
    });
  };
  try {
    let problems: Observed['problems'] = null;
    await attempt('check', async () => { problems = (await repository.check({ readData: true })).problems; });
    const readers: RepositoryReader[] = [];
    await attempt('reader', async () => readers.push(await repository.openReader()));
    for (const reader of readers) for (const id of [...sound.contents.keys(), ...sound.deleted.keys()]) {
      await attempt(id, async () => {
        for await (const { lists } of reader.entries(await repository.loadSnapshot(id))) for (const list of Object.values(lists)) for await (const _ of reader.chunks(list));
      });
    }
    for (const reader of readers) await reader.close();
    await attempt('snapshots', () => collect(repository.listSnapshots()));
    await attempt('facts', () => collect(repository.listFacts()));
    await attempt('chains', () => collect(repository.chains.list()));
    for (const id of sound.chains.keys()) {
      await attempt(`chain ${id}`, () => collect(repository.chains.read(id)));
      await attempt(`trim of ${id}`, () => repository.chains.trim(id, { before: 'f'.repeat(16) }));
      await attempt(`resume of ${id}`, () => repository.chains.resume(id));
    }
    for (const id of sound.dumps.keys()) await attempt(`dump ${id}`, () => collect(repository.dumps.read(id)));
    await attempt('copy', () => repository.copyTo({ to: createMemoryStorage() }));
    await attempt('prune', () => repository.prune({ isOver: () => true }));
    return { problems, errors, read: new Set() };
  } finally {
    await repository.close();
  }
}

/** The object with other content, sealed or summed anew. */
function forge(name: string, bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  if (name === 'repository.json' || name.startsWith('keys/')) {
    const { checksum: _, ...json } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    return writeChecksummedJson(mutations.reduce<Record<string, unknown>>((value, each) => asRecord(mutateJson(value, each)), json));
  }
  const kind = (Object.keys(OBJECT_KINDS) as ObjectKind[]).find((each) => OBJECT_KINDS[each] === bytes[5]) ?? assert.fail(name);
  const payload = openObject(sound.keys, { kind, name }, bytes);
  const seal = (forged: Buffer): Buffer => sealObject(sound.keys, { kind, name }, forged);
  if (kindOfName(name) === 'oplog/slice') {
    const length = payload.readUInt32LE(0);
    const header = JSON.parse(payload.toString('utf8', 4, 4 + length)) as unknown;
    const [first] = mutations as readonly [Mutation];
    const made = first.value % 2 === 0 ? mutations.reduce((part, each) => mutate(part, each, bytes), payload)
      : Buffer.concat([record(mutations.reduce<unknown>((value, each) => mutateJson(value, each), header)), payload.subarray(4 + length)]);
    return seal(made);
  }
  if (name.startsWith('indexes/') || kindOfName(name) === 'catalog/part') return seal(mutations.reduce((part, each) => mutate(part, each, bytes), payload));
  return seal(Buffer.from(JSON.stringify(mutations.reduce<unknown>((value, each) => mutateJson(value, each), JSON.parse(payload.toString('utf8')) as unknown))));
}

/** The bytes of a directory before they are sealed. */
function plainOf({ entries, bases }: Directory): Buffer {
  const plain = Buffer.alloc(entries.length * CHUNK_ENTRY_BYTES);
  entries.forEach((entry, i) => writeChunkEntry(plain, i * CHUNK_ENTRY_BYTES, entry));
  return Buffer.concat([plain, bases]);
}

/** A u32 length, then JSON: entries, and the headers of slices. */
function record(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 ? (value as Record<string, unknown>) : { value };
}
