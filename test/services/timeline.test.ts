import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChainWindow } from '../../src/catalog/index.ts';
import type { ClusterTime } from '../../src/domain/cluster-time.ts';
import type { Cluster } from '../../src/domain/records.ts';
import type { Mark, OperationView, TimelinePart } from '../../src/domain/timeline.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { createTimeline, type TimelineReader } from '../../src/services/timeline.ts';

const at = (t: number, i = 1): ClusterTime => ({ t, i });
const CLUSTER = { id: 'c', projectId: 'p', name: 'orders', continuousBackup: true } as Cluster;
const chain = (id: string, from: number, to: number, base: number | null): ChainWindow =>
  ({ id, clusterId: 'c', replicaSetId: null, from: at(from), to: at(to), slices: 3, base: base === null ? null : at(base), end: null }) as ChainWindow;
const CHAINS = [chain('first', 1_000, 2_000, 1_100), chain('second', 2_500, 9_000, 2_600), chain('empty', 9_000, 9_000, null)].map((each) => (each.id === 'empty' ? { ...each, slices: 0 } : each));
const mark = (t: number): Mark => ({ kind: 'drop', namespace: 'a.b', to: null, count: 1, first: at(t, 2), last: at(t, 2), justBefore: at(t), leaveOut: { at: at(t, 2) } });
const operation = (t: number): OperationView => ({ position: at(t, 2), number: 0, justBefore: at(t) }) as OperationView;
const nothing: TimelinePart = { counts: [], marks: [], partial: 0, readTo: null };

function timelineOf(reader: Partial<TimelineReader>, chains: readonly ChainWindow[] = CHAINS): { readonly timeline: ReturnType<typeof createTimeline>; readonly asked: string[] } {
  const asked: string[] = [];
  const timeline = createTimeline({
    clock: fakeClock(),
    catalog: { chains: { windows: () => Promise.resolve(chains), openOf: () => Promise.resolve(null) } as never, tailers: { get: () => Promise.resolve(null) } as never },
    reader: {
      async read(of, query) {
        asked.push(of.chainId);
        return reader.read?.(of, query) ?? nothing;
      },
      async find(of, query) {
        asked.push(of.chainId);
        return reader.find?.(of, query) ?? { operations: [], next: null };
      },
    },
  });
  return { timeline, asked };
}

describe('the time line of a cluster', () => {
  test('goes over the chains that its range touches, oldest first', async () => {
    const { timeline, asked } = timelineOf({});
    const { from, to } = await timeline.read(CLUSTER, { from: null, to: null });
    assert.deepEqual([from, to, asked.splice(0)], [at(5_400, 0), at(9_000), ['second']]);
    await timeline.read(CLUSTER, { from: at(1_500), to: at(3_000) });
    assert.deepEqual(asked.splice(0), ['first', 'second']);
    await timeline.read(CLUSTER, { from: at(2_100), to: at(2_400) });
    assert.deepEqual(asked, []);
  });

  test('adds up a minute that two chains share, and tells what can be restored', async () => {
    const counts = [{ namespace: 'a.b', minute: 2_040, insert: 1, update: 2, delete: 3, command: 1, bytes: 4 }];
    const { timeline } = timelineOf({ read: async ({ chainId }) => ({ counts, marks: chainId === 'first' ? [mark(1_050), mark(1_100)] : [mark(2_700)], partial: 1, readTo: null }) });
    const part = await timeline.read(CLUSTER, { from: at(1_000), to: at(3_000) });
    assert.deepEqual([part.counts, part.partialTransactions], [[{ namespace: 'a.b', minute: 2_040, insert: 2, update: 4, delete: 6, command: 2, bytes: 8 }], 2]);
    assert.deepEqual(part.marks.map(({ restorable }) => restorable), [false, true, true]);
    assert.match(part.marks[0]?.reason ?? '', /before the first base/);
    const { timeline: without } = timelineOf({ read: async () => ({ ...nothing, marks: [mark(1_500)] }) }, [chain('x', 1_000, 2_000, null)]);
    assert.match((await without.read(CLUSTER, { from: null, to: null })).marks[0]?.reason ?? '', /no base snapshot/);
  });

  test('stops with the chain that has too much, and says from where to go on', async () => {
    const { timeline, asked } = timelineOf({ read: async ({ chainId }) => ({ ...nothing, readTo: chainId === 'first' ? at(1_600, 7) : null }) });
    const { continueFrom } = await timeline.read(CLUSTER, { from: at(1_000), to: at(9_000) });
    assert.deepEqual([continueFrom, asked], [at(1_600, 8), ['first']]);
  });

  test('fills a page from several chains', async () => {
    const pages: Record<string, readonly number[]> = { first: [1_200, 1_300], second: [2_700, 2_800] };
    const { timeline, asked } = timelineOf({
      find: async ({ chainId }, { limit, after }) => {
        const left = pages[chainId]!.filter((t) => after === null || t > after.position.t);
        const operations = left.slice(0, limit).map(operation);
        const last = operations.at(-1);
        return { operations, next: left.length > limit && last !== undefined ? { position: last.position, number: 0 } : null };
      },
    });
    const query = { from: at(1_000), to: at(9_000), filter: {}, after: null, limit: 3, bytesShown: 1 };
    const first = await timeline.find(CLUSTER, query);
    assert.deepEqual([first.operations.map(({ position }) => position.t), first.next?.position.t], [[1_200, 1_300, 2_700], 2_700]);
    asked.splice(0);
    const second = await timeline.find(CLUSTER, { ...query, after: first.next });
    assert.deepEqual([second.operations.map(({ position }) => position.t), second.next, asked], [[2_800], null, ['second']]);
    const exact = await timeline.find(CLUSTER, { ...query, limit: 2 });
    assert.equal(exact.next?.position.t, 1_300, 'another chain may hold more');
  });

  test('says that there is none, or that its range is upside down', async () => {
    await assert.rejects(timelineOf({}, []).timeline.read(CLUSTER, { from: null, to: null }), { code: 'TIMELINE_EMPTY' });
    await assert.rejects(timelineOf({}).timeline.read(CLUSTER, { from: at(9), to: at(8) }), { code: 'RANGE_INVALID' });
  });
});
