// Chains as their users see them, on both kinds of stores: begun, continued, ended, read back.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { NewSlice, Repository } from '../../../src/repository/index.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, newSlice, numberName, position, rawsOf, START } from '../../support/chain-fixture.ts';
import { collect, copyToMemory, objectNames, openTestRepository, withTempDir } from '../../support/repository-fixture.ts';

const KINDS: Readonly<Record<string, (folder: string) => Storage>> = {
  memory: () => createMemoryStorage(),
  'local folder': (folder) => createLocalStorage(join(folder, 'repository')),
};

for (const [kind, makeStorage] of Object.entries(KINDS)) {
  describe(`chains on ${kind}`, () => {
    const on = (name: string, run: (repository: Repository, storage: Storage, again: () => Promise<Repository>) => Promise<void>): void => {
      test(name, () => withTempDir(async (folder) => {
        const storage = makeStorage(folder);
        const opened: Repository[] = [];
        const open = async (): Promise<Repository> => {
          const repository = await openTestRepository(storage, { tempDir: join(folder, `temp${opened.length}`) });
          opened.push(repository);
          return repository;
        };
        try {
          await run(await open(), storage, open);
        } finally {
          for (const repository of opened) await repository.close();
        }
      }));
    };

    on('read back slice by slice after opening anew', async (repository, storage, again) => {
      const writer = await beginChain(repository);
      assert.equal(writer.last, null);
      const raws = [randomBytes(3_000), Buffer.from('soft '.repeat(50_000)), Buffer.alloc(0), Buffer.from('x')];
      const slices = await appendSlices(writer, raws);
      assert.deepEqual(writer.last, slices.at(-1));
      const other = await again();
      const read = await collect(other.chains.read(writer.head.id));
      assert.deepEqual(read.map(({ slice }) => slice), slices);
      assert.deepEqual(read.map(({ raw }) => raw), raws);
      assert.deepEqual(await collect(other.chains.slices(writer.head.id)), slices);
      assert.deepEqual(slices.map(({ from, to }) => [from, to]), [[START, position(10)], [position(10), position(20)], [position(20), position(30)], [position(30), position(40)]]);
      assert.ok((slices[1]?.storedBytes ?? 0) < 2_000, 'what shrinks is stored small');
      for (const { sequence, digest, storedBytes } of slices) {
        const bytes = await storage.get(numberName(writer.head.id, sequence));
        assert.deepEqual([digest, storedBytes], [createHash('sha256').update(bytes).digest('hex'), bytes.length]);
      }
    });

    on('go on behind the newest slice of the store', async (repository, _storage, again) => {
      const writer = await beginChain(repository);
      const raws = [randomBytes(100), randomBytes(200), randomBytes(300), randomBytes(50)];
      const resumedEmpty = await (await again()).chains.resume(writer.head.id);
      assert.deepEqual([resumedEmpty.head, resumedEmpty.last], [writer.head, null]);
      const first = await appendSlices(resumedEmpty, raws.slice(0, 2));
      const resumed = await (await again()).chains.resume(writer.head.id);
      assert.deepEqual(resumed.last, first.at(-1));
      await appendSlices(resumed, raws.slice(2));
      assert.deepEqual(await rawsOf(repository, writer.head.id), raws);
    });

    on('are read from any number on', async (repository) => {
      const writer = await beginChain(repository);
      const slices = await appendSlices(writer, Array.from({ length: 5 }, () => randomBytes(50)));
      const { id } = writer.head;
      for (const after of [0, 1, 4, 5]) assert.deepEqual(await collect(repository.chains.slices(id, { after })), slices.slice(after));
      await assert.rejects(collect(repository.chains.slices(id, { after: 6 })), { code: 'REPOSITORY_CHAIN_BROKEN', message: /number 6/ });
      await writer.end({ reason: 'STOPPED' });
      for (const after of [0, 5]) assert.deepEqual(await collect(repository.chains.slices(id, { after })), slices.slice(after));
      await assert.rejects(collect(repository.chains.slices(id, { after: 6 })), { code: 'REPOSITORY_CHAIN_BROKEN' });
    });

    on('end once and for all', async (repository, _storage, again) => {
      const writer = await beginChain(repository);
      const slices = await appendSlices(writer, [randomBytes(10), randomBytes(10)]);
      const end = await writer.end({ reason: 'OPLOG_ROLLED_OVER', body: { oldest: 7 } });
      assert.deepEqual({ reason: end.reason, at: end.at, body: end.body }, { reason: 'OPLOG_ROLLED_OVER', at: position(20), body: { oldest: 7 } });
      assert.deepEqual(await writer.end({ reason: 'STOPPED' }), end, 'a second end changes nothing');
      await assert.rejects(writer.append(newSlice(3)), { code: 'REPOSITORY_CHAIN_ENDED', message: /OPLOG_ROLLED_OVER/ });
      await assert.rejects((await again()).chains.resume(writer.head.id), { code: 'REPOSITORY_CHAIN_ENDED' });
      assert.deepEqual(await collect(repository.chains.slices(writer.head.id)), slices);
      const empty = await beginChain(repository);
      assert.equal((await empty.end({ reason: 'STOPPED' })).at, START);
      assert.deepEqual(await collect(repository.chains.slices(empty.head.id)), []);
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
    });

    on('are listed with their ends, by series', async (repository) => {
      const [one, two, three] = [await beginChain(repository, 'a'), await beginChain(repository, 'b'), await beginChain(repository, 'a')];
      await appendSlices(one, [randomBytes(10)]);
      const end = await one.end({ reason: 'STOPPED' });
      const byId = (list: readonly { readonly head: { readonly id: string } }[]): unknown[] => [...list].sort((a, b) => (a.head.id < b.head.id ? -1 : 1));
      const all = [{ head: one.head, end }, { head: two.head, end: null }, { head: three.head, end: null }];
      assert.deepEqual(byId(await collect(repository.chains.list())), byId(all));
      assert.deepEqual(await collect(repository.chains.list('b')), [{ head: two.head, end: null }]);
      assert.deepEqual(await collect(repository.chains.list('c')), []);
    });

    on('are missing by name', async (repository) => {
      const id = '0'.repeat(24);
      for (const each of [id, 'nonsense', '../head']) {
        await assert.rejects(repository.chains.resume(each), { code: 'REPOSITORY_CHAIN_MISSING' });
        await assert.rejects(collect(repository.chains.slices(each)), { code: 'REPOSITORY_CHAIN_MISSING' });
        await assert.rejects(collect(repository.chains.read(each)), { code: 'REPOSITORY_CHAIN_MISSING' });
      }
    });
  });
}

describe('a chain', () => {
  test('refuses what breaks its rules and goes on', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    await assert.rejects(repository.chains.begin({ series: 's', from: 'XYZ', body: {} }), { code: 'REPOSITORY_CHAIN_INVALID' });
    const writer = await beginChain(repository);
    const wrong: Partial<NewSlice>[] = [
      { to: START }, { to: position(-1) }, { to: 'abc' }, { to: position(5).toUpperCase() }, { records: -1 }, { records: 1.5 },
      { raw: [Buffer.alloc(60 * 1024 * 1024), Buffer.alloc(5 * 1024 * 1024)] }, { body: { large: 'x'.repeat(600_000) } },
    ];
    for (const change of wrong) await assert.rejects(writer.append({ ...newSlice(1), ...change }), { code: 'REPOSITORY_CHAIN_INVALID' }, JSON.stringify(Object.keys(change)));
    await assert.rejects(writer.end({ reason: 'because' }), { code: 'REPOSITORY_CHAIN_INVALID' });
    const [slice] = await appendSlices(writer, [Buffer.from('x')]);
    assert.equal(slice?.sequence, 1);
    await repository.close();
    await assert.rejects(writer.append(newSlice(2)), { code: 'REPOSITORY_CLOSED' });
    await assert.rejects(collect(repository.chains.slices(writer.head.id)), { code: 'REPOSITORY_CLOSED' });
  });

  test('takes 64 MiB in one slice without holding up the main thread', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const writer = await beginChain(repository);
    const raw = Buffer.alloc(64 * 1024 * 1024, 'every entry looks like the one before; ');
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    await writer.append(newSlice(1, raw));
    isOver = true;
    assert.ok(turns > 50, `the main thread had ${turns} turns`);
    const [read] = await collect(repository.chains.read(writer.head.id));
    assert.ok(read?.raw.equals(raw));
    await repository.close();
  });

  test('lets the caller use its buffers again once a slice was taken', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const writer = await beginChain(repository);
    const buffer = Buffer.alloc(100);
    for (let i = 1; i <= 3; i += 1) await appendSlices(writer, [buffer.fill(i)]);
    assert.deepEqual(await rawsOf(repository, writer.head.id), [1, 2, 3].map((i) => Buffer.alloc(100, i)));
    await repository.close();
  });

  test('stops with the reason of its signal', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const writer = await beginChain(repository);
    await appendSlices(writer, Array.from({ length: 5 }, () => randomBytes(10)));
    const stop = new AbortController();
    const reason = new Error('cancelled by a person');
    let seen = 0;
    await assert.rejects(async () => {
      for await (const { slice } of repository.chains.read(writer.head.id, { signal: stop.signal })) {
        seen = slice.sequence;
        if (seen === 2) stop.abort(reason);
      }
    }, reason);
    assert.equal(seen, 2);
    await repository.close();
  });

  test('resumes by names, head, end and newest slice alone', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const writer = await beginChain(repository);
    await appendSlices(writer, Array.from({ length: 30 }, () => randomBytes(10)));
    const read: string[] = [];
    const watched: Storage = { ...storage, get: (name, ...rest) => { read.push(name); return storage.get(name, ...rest); } };
    const other = await openTestRepository(watched);
    read.length = 0;
    await other.chains.resume(writer.head.id);
    assert.deepEqual(read, [`oplog/${writer.head.id}/head`, `oplog/${writer.head.id}/end`, numberName(writer.head.id, 30)]);
    for (const each of [repository, other]) await each.close();
  });

  test('that was closed without its end is ended by whoever resumes it', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const writer = await beginChain(repository);
    const raws = [randomBytes(10), randomBytes(20)];
    await appendSlices(writer, raws);
    const end = await writer.end({ reason: 'STOPPED', body: { by: 'a person' } });
    const endName = `oplog/${writer.head.id}/end`;
    const halfway = await copyToMemory(storage, (name, bytes) => (name === endName ? null : bytes));
    const again = await openTestRepository(halfway);
    assert.deepEqual(await rawsOf(again, writer.head.id), raws);
    assert.deepEqual((await again.check({ readData: true })).problems, []);
    await assert.rejects(again.chains.resume(writer.head.id), { code: 'REPOSITORY_CHAIN_ENDED', message: /STOPPED/ });
    assert.ok((await objectNames(halfway)).includes(endName));
    assert.deepEqual(await collect(again.chains.list()), [{ head: writer.head, end }]);
    assert.deepEqual((await again.check({ readData: true })).problems, []);
    for (const each of [repository, again]) await each.close();
  });

  test('gives back whatever was put in, however it is cut, resumed and read', () => fc.assert(fc.asyncProperty(
    fc.array(fc.record({
      step: fc.integer({ min: 1, max: 2 ** 31 }), records: fc.nat(), parts: fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 4 }),
      repeat: fc.integer({ min: 1, max: 20 }), body: fc.dictionary(fc.string(), fc.jsonValue()), resume: fc.boolean(),
    }), { maxLength: 8 }),
    fc.nat({ max: 8 }),
    async (given, after) => {
      const repository = await openTestRepository(createMemoryStorage());
      let writer = await beginChain(repository);
      const { id } = writer.head;
      const [slices, raws]: [unknown[], Buffer[]] = [[], []];
      let at = 0;
      for (const { step, records, parts, repeat, body, resume } of given) {
        if (resume) writer = await repository.chains.resume(id);
        const raw = Array.from({ length: repeat }, () => parts).flat();
        slices.push(await writer.append({ to: position(at += step), records, raw, body }));
        raws.push(Buffer.concat(raw));
      }
      const from = Math.min(after, given.length);
      const read = await collect(repository.chains.read(id, { after: from }));
      assert.deepEqual(read.map(({ slice }) => slice), slices.slice(from));
      assert.ok(read.every(({ raw }, i) => raw.equals(raws[from + i] ?? Buffer.from('none'))));
      assert.deepEqual(read.map(({ slice }) => JSON.stringify(slice.body)), given.slice(from).map(({ body }) => JSON.stringify(body)));
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      await repository.close();
    },
  ), { numRuns: 40 }));
});
