// Operations on their way to the server: one lane for those that have to keep their order, one batch of each lane under
// way, several lanes at once. Whoever adds waits while its lane is full, so memory stays bounded.
import { laneOf, type PlacedOperation } from '../../replay/index.ts';
import type { ShadowOperation } from './apply-operations.ts';

export interface ReplayLanes {
  /** @throws what a batch failed with; nothing more is sent then */
  add(operation: ShadowOperation, placed: PlacedOperation): Promise<void>;
  /** Sends what is gathered; resolves when everything was applied. */
  drain(): Promise<void>;
  /** Resolves when nothing is under way any more, whatever became of it. */
  settle(): Promise<void>;
}

export interface ReplayLanesOptions {
  /** Before each batch, one call at a time. */
  readonly before: () => Promise<void>;
  readonly send: (operations: readonly ShadowOperation[], bytes: number) => Promise<void>;
  /** True for an operation that has to go alone. */
  readonly isAlone: (operation: ShadowOperation) => boolean;
  readonly lanes?: number;
  readonly batchOperations?: number;
  readonly batchBytes?: number;
}

interface Lane {
  operations: ShadowOperation[];
  bytes: number;
  running: Promise<void>;
}

const LANES = 6;
const BATCH_OPERATIONS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

export function createReplayLanes(options: ReplayLanesOptions): ReplayLanes {
  const { lanes: count = LANES, batchOperations = BATCH_OPERATIONS, batchBytes = BATCH_BYTES } = options;
  const lanes = Array.from({ length: count }, (): Lane => ({ operations: [], bytes: 0, running: Promise.resolve() }));
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  const flush = async (lane: Lane): Promise<void> => {
    await lane.running;
    throwFailure();
    if (lane.operations.length === 0) return;
    await options.before();
    const { operations, bytes } = lane;
    lane.operations = [];
    lane.bytes = 0;
    // Its failure is seen by whatever comes next.
    lane.running = options.send(operations, bytes).catch((error: unknown) => { failure ??= { error }; });
  };
  const settle = async (): Promise<void> => void (await Promise.all(lanes.map(({ running }) => running)));
  return {
    settle,
    async add(operation, { collection, ordered, id, object }) {
      const lane = lanes[laneOf(count, collection, ordered ? null : id)] as Lane;
      const bytes = object.length + id.length;
      const isAlone = options.isAlone(operation);
      if (isAlone || lane.bytes + bytes > batchBytes || lane.operations.length >= batchOperations) await flush(lane);
      lane.operations.push(operation);
      lane.bytes += bytes;
      if (isAlone) await flush(lane);
    },
    async drain() {
      for (const lane of lanes) await flush(lane);
      await settle();
      throwFailure();
    },
  };
}
