import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { KeptInstant, RestoreOptions } from '../../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { SOON_MS } from '../../../support/patience.ts';
import { contentOfServer, restoreWorld } from '../../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

const ROUNDS = 6;

describe('a restore to an instant that is cancelled', { timeout: 900_000 }, () => {
  let small: SmallSource;
  let border: ClusterTime;
  let live: Record<string, string>;

  before(async () => {
    small = await startSmallSource(createMemoryStorage(), async (client) => {
      await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: 1_000 }, (_, n) => ({ _id: n as never, n })));
      await client.db('copy').collection('orders').insertOne({ live: 'before' });
    });
    for (let round = 0; round < ROUNDS; round += 1) await small.client.db('shop').collection('orders').updateMany({}, { $set: { round } });
    border = await small.here();
    live = await contentOfServer(small.server.uri);
  });
  after(() => small?.[Symbol.asyncDispose]());

  type Place = (cancel: () => void) => Partial<RestoreOptions>;
  const phase = (wanted: string): Place => (cancel) => ({ onPhase: async (name) => void (name === wanted && cancel()) });
  const among = (wanted: string, documents: number): Place => (cancel) => ({ onProgress: ({ phase: name, documentsDone }) => void (name === wanted && documentsDone >= documents && cancel()) });
  const places: readonly (readonly [string, Place])[] = [
    ['as preflight begins', phase('preflight')],
    ['between two slices of the window', (cancel) => ({ instant: interrupted(small.oplog.instant(border), cancel) })],
    ['with its window read', phase('prepare')],
    ['as the replay begins', phase('replay')],
    ['among the operations', among('replay', 2_000)],
    ['as the proof begins', phase('prove')],
    ['among the documents that are read back', among('prove', 1)],
  ];

  for (const [place, at] of places) {
    test(`ends within 2 s and leaves nothing: ${place}`, async () => {
      const controller = new AbortController();
      const reason = new Error('cancelled by the test');
      let cancelledAt = NaN;
      const cancel = (): void => {
        if (Number.isNaN(cancelledAt)) cancelledAt = performance.now();
        controller.abort(reason);
      };
      await using w = await restoreWorld(small.repository, small.root, small.server.uri, {
        selection: INTO_COPY, instant: small.oplog.instant(border), signal: controller.signal, ...at(cancel),
      });
      const error = await restoreSnapshot(w.options).then(() => assert.fail('the restore succeeded'), (caught: unknown) => caught);
      assert.equal(error, reason);
      assert.ok(performance.now() - cancelledAt < SOON_MS, `${performance.now() - cancelledAt} ms`);
      assert.deepEqual(await contentOfServer(small.server.uri), live);
      assert.equal(await small.client.db('__leafvault').collection('plans').countDocuments(), 0);
      assert.deepEqual(await readdir(w.options.tempDir), []);
      assert.ok(['undone', undefined].includes(w.journal.saved.at(-1)?.['state'] as string | undefined));
    });
  }

  test('is as good as new when it is asked for again', async () => {
    await using w = await restoreWorld(small.repository, small.root, small.server.uri, { selection: INTO_COPY, instant: small.oplog.instant(border) });
    await restoreSnapshot(w.options);
    assert.equal(await small.client.db('copy').collection('orders').countDocuments({ round: ROUNDS - 1 }), 1_000);
  });
});

/** Cancels behind the first slice. */
function interrupted(instant: KeptInstant, cancel: () => void): KeptInstant {
  return {
    ...instant,
    async *slices(read) {
      for await (const slice of instant.slices(read)) {
        yield slice;
        cancel();
      }
    },
  };
}
