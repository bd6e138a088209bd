// An engine for tests of jobs: real chunks into a real repository, and a target that is a value in memory.
import type { CaptureSnapshot, RestoreOptions, RestoreResult, DropKept, RestoreSnapshot, SettleRestore, SnapshotBody, UndoRestore } from '../../src/engine/contracts.ts';
import type { HandlerParts } from '../../src/jobs/index.ts';
import { sleep } from '../../src/foundation/abort.ts';
import { writeEntries } from './repository-fixture.ts';

export const BODY: SnapshotBody = {
  engineVersion: 1,
  source: { topology: 'replicaSet', replicaSetName: 'rs0', replicaSetId: null, serverVersion: '6.0.5', featureCompatibilityVersion: '6.0', member: '127.0.0.1:1' },
  consistency: 'point-in-time', beganAt: { t: 1_700_000_000, i: 1 }, pointInTime: { t: 1_700_000_001, i: 2 },
  capturedAt: '2026-03-01T12:00:00.000Z', collections: 1, documents: 3, bytes: 3000,
};

export const CAPTURE_PHASES = ['begin', 'scan', 'settle'] as const;
export const RESTORE_PHASES = ['preflight', 'load', 'indexes', 'prove', 'swap'] as const;

/** For workers that are asked for no drill and no export. */
export const NO_DRILLS: Pick<HandlerParts, 'rehearse' | 'settleRehearsal' | 'startThrowaway' | 'drillMongod' | 'exportSnapshot' | 'openBucket'> = {
  rehearse: () => Promise.reject(new Error('There are no drills here')),
  settleRehearsal: () => Promise.reject(new Error('There are no drills here')),
  startThrowaway: () => Promise.reject(new Error('There are no drills here')),
  drillMongod: null,
  exportSnapshot: () => Promise.reject(new Error('There are no exports here')),
  openBucket: () => { throw new Error('There are no exports here'); },
};

export interface SmallEngine {
  readonly capture: CaptureSnapshot;
  readonly restore: RestoreSnapshot;
  readonly settle: SettleRestore;
  readonly undo: UndoRestore;
  readonly slicesOfChain: () => NonNullable<RestoreOptions['instant']>['slices'];
  readonly dropKept: DropKept;
  /** What the engine was called for, in order. */
  readonly calls: string[];
  /** The cluster that is restored into. */
  readonly target: { live: 'old' | 'new'; shadows: number; kept?: string[] };
  /** Acts when a phase begins: to wait, to throw. */
  onPhase: (phase: string, signal: AbortSignal) => Promise<void>;
  /** What a restore fails with although its swap is done. */
  failure?: Error;
  /** Acts when something is settled. */
  onSettle: () => Promise<void>;
}

export function createSmallEngine(): SmallEngine {
  const engine: SmallEngine = {
    calls: [], target: { live: 'old', shadows: 0 },
    onPhase: () => Promise.resolve(), onSettle: () => Promise.resolve(),
    async capture({ writer, previous, signal, onProgress }) {
      engine.calls.push(previous === null ? 'capture' : `capture after ${previous.root.id}`);
      for (const phase of CAPTURE_PHASES) {
        onProgress({ phase, documentsDone: 1, documentsTotal: 3, bytesDone: 1000, bytesTotal: 3000, namespace: 'shop.orders' });
        await engine.onPhase(phase, signal);
        signal.throwIfAborted();
      }
      await writeEntries(writer, { 'shop.orders': [Buffer.alloc(1000, 1), Buffer.alloc(2000, 2)] });
      onProgress({ phase: 'settle', documentsDone: 3, documentsTotal: 3, bytesDone: 3000, bytesTotal: 3000, namespace: null });
      return { body: BODY };
    },
    slicesOfChain: () => () => { throw new Error('The small engine reads no chain'); },
    restore: (options) => restore(engine, options),
    async undo({ journal, signal }) {
      engine.calls.push('undo');
      await journal.save({ state: 'swapping', kind: 'undo' });
      await engine.onPhase('undo', signal);
      engine.target.live = 'old';
      await journal.save({ state: 'finished', kind: 'undo' });
      return { putBack: ['shop.orders'], movedAside: engine.target.kept ?? [], warnings: [] };
    },
    async dropKept({ journal }) {
      engine.calls.push('dropKept');
      await journal.save({ state: 'finished' });
      engine.target.kept = [];
      return [];
    },
    async settle({ journal }) {
      engine.calls.push('settle');
      await engine.onSettle();
      const plan = await journal.load();
      if (plan?.['state'] === 'finished') return 'new';
      if (plan?.['state'] === 'committed') {
        await journal.save({ state: 'finished', kept: engine.target.kept ?? [] });
        engine.target.shadows = 0;
        return 'new';
      }
      engine.target.live = 'old';
      engine.target.shadows = 0;
      if (plan !== null) await journal.save({ state: 'undone', kept: engine.target.kept ?? [] });
      return 'old';
    },
  };
  return engine;
}

const RESULT: RestoreResult = {
  collections: [{ from: 'shop.orders', to: 'shop.orders', documents: 3, bytes: 3000, hash: '0'.repeat(32), indexes: 1, failedIndexes: [] }],
  documents: 3, bytes: 3000, movedAside: [],
};

/** As the protocol says: settle first, save before each step, `committed` is the point of no return. */
async function restore(engine: SmallEngine, { journal, signal, onProgress, root, reader, oldCollections }: RestoreOptions): Promise<RestoreResult> {
  const before = await journal.load();
  engine.calls.push('restore');
  if (before?.['state'] === 'committed' || before?.['state'] === 'finished') {
    await journal.save({ state: 'finished', kept: engine.target.kept ?? [] });
    if (engine.failure !== undefined) throw engine.failure;
    return RESULT;
  }
  engine.target.shadows = 0;
  for (const phase of RESTORE_PHASES) {
    onProgress({ phase, documentsDone: 1, documentsTotal: 3, bytesDone: 1000, bytesTotal: 3000, namespace: 'shop.orders' });
    if (phase === 'load') {
      await journal.save({ state: 'preparing' });
      engine.target.shadows = 1;
      for await (const { lists } of reader.entries(root)) for (const list of Object.values(lists)) for await (const { raw } of reader.chunks(list)) raw.at(0);
    }
    await engine.onPhase(phase, signal);
    signal.throwIfAborted();
  }
  await journal.save({ state: 'swapping' });
  engine.target.live = 'new';
  await journal.save({ state: 'committed' });
  await engine.onPhase('committed', signal);
  engine.target.shadows = 0;
  if (oldCollections === 'keep') engine.target.kept = ['shop.old1'];
  await journal.save({ state: 'finished' });
  return { ...RESULT, movedAside: engine.target.kept ?? [] };
}

/** Waits in one phase until the signal fires. */
export function waitIn(phase: string): SmallEngine['onPhase'] {
  return async (at, signal) => { if (at === phase) await sleep(600_000, signal); };
}
