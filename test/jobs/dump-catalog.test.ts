// The catalog dumps itself: once a day, by one of many, and old dumps go.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { createDumpChore, dumpBodyOf, dumpCatalog, linesOf, trimCatalogDumps } from '../../src/jobs/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { makeInventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createFaultyStorage, FAULT_MODES, type FaultMode } from '../support/faulty-storage.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { collect, copyToMemory, openTestRepository } from '../support/repository-fixture.ts';

const HOUR_MS = 3_600_000;
const ROWS = process.env['LEAFVAULT_LONG_TESTS'] === undefined ? 40_000 : 1_000_000;
const MIB = 1024 * 1024;
const SECRET = 'a-planted-secret-0815';

describe('the dump of the catalog', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;
  let storage: Storage;
  let repository: Repository;
  const chore = () => createDumpChore({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]) });
  const run = () => chore().run(AbortSignal.timeout(60_000));

  before(async () => {
    server = await startEmbedded();
    clock = fakeClock();
    catalog = await server.open({ clock });
  });
  after(async () => {
    await catalog.close();
    await server.stop();
  });
  beforeEach(async () => {
    await emptyCatalog(catalog);
    await makeInventory(catalog, `mongodb://u:${SECRET}@127.0.0.1:27017/`);
    storage = createMemoryStorage();
    repository = await openTestRepository(storage, { clock });
  });

  test('is taken once a day, by one of several workers', async () => {
    await Promise.all([run(), run(), run()]);
    assert.equal((await repository.dumps.list()).length, 1);
    clock.advance(24 * HOUR_MS - 1);
    await run();
    assert.equal((await repository.dumps.list()).length, 1);
    clock.advance(1);
    await Promise.all([run(), run(), run()]);
    const dumps = await repository.dumps.list();
    assert.deepEqual(dumps.map((dump) => dumpBodyOf(dump)?.reason), ['daily', 'daily']);
    assert.equal(dumpBodyOf(dumps[0]!)?.tables['clusters'], 1);
  });

  test('holds secrets that only the key of the repository opens', async () => {
    await run();
    const [dump] = await repository.dumps.list();
    const text = (await collect(linesOf(repository.dumps.read(dump!.id)))).join('\n');
    assert.ok(text.includes(SECRET), 'the secret is in it');
    for await (const { name } of storage.list('')) assert.ok(!(await storage.get(name)).includes(SECRET), name);
  });

  test('is kept for seven days, and for good where the tables changed behind it', async () => {
    const asked = (reason: 'daily' | 'migration' | 'asked') => dumpCatalog({ dumps: catalog.dumps, repository }, { reason, wait: true });
    const ids: string[] = [];
    for (const reason of ['migration', 'daily', 'migration', 'daily', 'asked', 'daily', 'daily', 'daily', 'daily', 'daily'] as const) {
      ids.push((await asked(reason))?.id ?? '');
      clock.advance(24 * HOUR_MS);
    }
    const { dumps } = await trimCatalogDumps(repository);
    assert.deepEqual(dumps.toSorted(), [ids[0], ids[1]], 'the older one of two before the same migration, and the eighth');
    assert.deepEqual((await repository.dumps.list()).map(({ id }) => id), [...ids.slice(2)].reverse());
    assert.deepEqual((await trimCatalogDumps(repository)).dumps, []);
  });

  test('of a large catalog comes in parts, in bounded memory', async (context) => {
    await catalog.transaction((tx) => tx.executeSql(
      `insert into audit_events (at, action, address, details) select now(), 'test', '::1', jsonb_build_object('text', repeat(md5(n::text), 8)) from generate_series(1, ${ROWS}) n`,
    ));
    let largest = 0;
    let peak = 0;
    const [began, before] = [performance.now(), process.memoryUsage().rss];
    let parts = 0;
    const watched = { ...repository, dumps: { ...repository.dumps, write: (given: AsyncIterable<Uint8Array>, body: () => Record<string, unknown>) => repository.dumps.write((async function* () {
      for await (const part of given) {
        parts += 1;
        largest = Math.max(largest, part.length);
        peak = Math.max(peak, process.memoryUsage().rss);
        yield part;
      }
    })(), body) } } as Repository;
    const dump = await dumpCatalog({ dumps: catalog.dumps, repository: watched }, { reason: 'daily', wait: true });
    assert.equal(dump?.parts, parts);
    assert.ok(parts >= 3 && largest < 1.5 * MIB, `${parts} parts, the largest has ${largest} bytes`);
    context.diagnostic(`${ROWS} rows in ${Math.round(performance.now() - began)} ms, ${dump?.rawBytes} bytes, ${dump?.storedBytes} stored; RSS ${Math.round(before / MIB)} MiB before, ${Math.round(peak / MIB)} MiB at most`);
    // What a worker is promised to stay below, and this process holds the tests besides.
    assert.ok(peak < 512 * MIB, `${Math.round(peak / MIB)} MiB, ${Math.round((peak - before) / MIB)} of them more than before`);
    let rows = 0;
    for await (const line of linesOf(repository.dumps.read(dump!.id))) if (line.includes('"text"')) rows += 1;
    assert.equal(rows, ROWS);
  });

  for (const mode of FAULT_MODES.filter((each) => each !== 'tear' && each !== 'fail once')) {
    test(`that is struck at any call of the store is whole or none, and the next one is taken (${mode})`, async () => {
      const before = (await dumpCatalog({ dumps: catalog.dumps, repository }, { reason: 'daily', wait: true }))!;
      let call = 1;
      for (; ; call += 1) {
        const copy = await copyToMemory(storage);
        const faulty = createFaultyStorage(copy, call, mode as FaultMode);
        clock.advance(24 * HOUR_MS);
        await createDumpChore({
          catalog, clock, log: silent, repositories: async () => [await openTestRepository(faulty, { clock })],
        }).run(AbortSignal.timeout(60_000)).catch(() => undefined);
        if (!faulty.struck) break;
        const next = await openTestRepository(copy, { clock });
        const whole = await next.dumps.list();
        assert.ok(whole.some(({ id }) => id === before.id), `call ${call}`);
        for (const { id } of whole) assert.equal((await collect(linesOf(next.dumps.read(id)))).at(-1), '["end"]', `call ${call}`);
        assert.deepEqual((await next.check({ readData: true })).problems, [], `call ${call}`);
        // The lock is free again, whatever happened.
        assert.ok(await dumpCatalog({ dumps: catalog.dumps, repository: next }, { reason: 'daily', wait: false }), `call ${call}`);
        await next.close();
      }
      assert.ok(call > 10, `only ${call - 1} calls were struck`);
    });
  }
});
