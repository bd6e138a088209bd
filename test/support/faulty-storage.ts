// A store that fails at one chosen call, in the ways that real ones do.
import assert from 'node:assert/strict';
import { isLeafvaultError, LeafvaultError } from '../../src/foundation/errors.ts';
import type { ObjectInfo, Storage } from '../../src/storage/index.ts';

/**
 * - `stop`: the call does not happen, nor does any after it: the process died before it.
 * - `stop after`: the call happens, its answer is lost, nothing happens after it: the process died behind it.
 * - `tear`: a put leaves half of its object under its name, then everything stops. Worse than a store may be.
 * - `fail once`: the call does not happen and says that trying again may help.
 * - `lose answer`: the call happens and says that it failed and that trying again may help.
 *
 * Of puts and deletes, which alone are counted:
 * - `twice`: it happens twice, as where something on the way to the store sends it again; the answer is that of the second one, so a put
 *   is told that its name is taken.
 * - `late`: it says that it failed and that trying again may help, and happens four calls later, or when all is over (`arrive`).
 * - `last`: the same, and it happens when all is over.
 * - `stop, late`: the process dies, and it happens when all is over.
 *
 * Of lists, which alone are counted:
 * - `other order`: the names come in another order, ends before the middle.
 * - `break off`: it fails behind half of the names, and says that trying again may help.
 */
export type FaultMode = 'stop' | 'stop after' | 'tear' | 'fail once' | 'lose answer' | 'twice' | 'late' | 'last' | 'stop, late' | 'other order' | 'break off';

/** Those that strike any call. */
export const FAULT_MODES: readonly FaultMode[] = ['stop', 'stop after', 'tear', 'fail once', 'lose answer'];

const OF_WRITES: readonly FaultMode[] = ['twice', 'late', 'last', 'stop, late'];
const OF_LISTS: readonly FaultMode[] = ['other order', 'break off'];

/** Those that strike writes or lists. */
export const ODD_MODES: readonly FaultMode[] = [...OF_WRITES, ...OF_LISTS];

/** Whether work that is struck so has to come to its end all the same. */
export function isOutlived(mode: string): boolean {
  return ['fail once', 'lose answer', 'twice', 'late', 'last', 'other order'].includes(mode);
}

/** Calls between one that is late and its effect. */
const LATE_BY = 4;

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';

/** The long form strikes every call; the short one every third, from another one on each time. */
const CALLS_APART = LONG ? 1 : 3;

/**
 * Strikes call after call until one is not reached any more.
 * @param strikeAt false when what is struck was through before the call came
 * @returns how many calls there are, at least; what was struck goes to the test's diagnostics
 */
export async function strikeCalls(context: Diagnostics, strikeAt: (call: number) => Promise<boolean>): Promise<number> {
  const first = 1 + Math.floor(Math.random() * CALLS_APART);
  let call = first;
  let struck = 0;
  for (; await strikeAt(call); call += CALLS_APART) struck += 1;
  context.diagnostic(`${struck} calls struck: ${CALLS_APART === 1 ? 'each' : `every third of up to ${call - 1}, from call ${first} on`}`);
  return call - 1;
}

interface Diagnostics { diagnostic(text: string): void }

/**
 * Strikes in each of these ways, call after call until one is not reached any more. The short form goes on with the next way at each call,
 * from another one on each time.
 * @param least each way has to find that many calls
 * @param strikeAt false when what is struck was through before the call came
 */
export async function strikeInTurn(
  context: Diagnostics, modes: readonly FaultMode[], least: number, strikeAt: (call: number, mode: FaultMode, turn: number) => Promise<boolean>,
): Promise<void> {
  const apart = LONG ? 1 : modes.length;
  const from = Math.floor(Math.random() * apart);
  const struck = new Map<FaultMode, number>();
  let turn = 0;
  for (const [i, mode] of modes.entries()) {
    const begun = turn;
    for (let call = 1 + ((from + i) % apart); await strikeAt(call, mode, turn); call += apart) turn += 1;
    struck.set(mode, turn - begun);
  }
  const told = [...struck].map(([mode, calls]) => `${mode} ${calls}`).join(', ');
  context.diagnostic(`${turn} calls struck: ${told}`);
  assert.ok(turn > 0 && [...struck.values()].every((calls) => calls >= Math.floor(least / apart)), `too few: ${told}`);
}

export interface FaultyStorage extends Storage {
  /** Calls that were made, the failed ones included: all, or the writes, or the lists, as the mode wants it. A listing counts once. */
  readonly calls: number;
  /** True once the fault has struck. */
  readonly struck: boolean;
  /** What is late happens now; nothing where nothing is. */
  arrive(): Promise<void>;
}

interface Call<T> {
  readonly what: string;
  readonly kind: 'read' | 'write' | 'list';
  readonly run: () => Promise<T>;
  /** What is left of a put that is torn. */
  readonly torn?: () => Promise<unknown>;
}

/** @param failAt number of the call that fails, from 1; 0 never fails and only counts */
export function createFaultyStorage(inner: Storage, failAt: number, mode: FaultMode = 'stop'): FaultyStorage {
  let calls = 0;
  let struck = false;
  let dead = false;
  let late: (() => Promise<unknown>) | null = null;
  let callsUntilIt = Infinity;

  const arrive = async (): Promise<void> => {
    const act = late;
    late = null;
    // Nobody hears its answer.
    await act?.().catch((error: unknown) => { if (!isLeafvaultError(error)) throw error; });
  };

  const call = async <T>({ what, kind, run, torn }: Call<T>): Promise<T> => {
    if (dead) throw fault(`${what}: the process is dead`, false);
    callsUntilIt -= 1;
    if (callsUntilIt <= 0) await arrive();
    if ((OF_WRITES.includes(mode) && kind !== 'write') || (OF_LISTS.includes(mode) && kind !== 'list')) return run();
    calls += 1;
    if (calls !== failAt) return run();
    struck = true;
    switch (mode) {
      case 'fail once': throw fault(what, true);
      case 'lose answer':
        await run();
        throw fault(what, true);
      case 'twice':
        await run();
        return run();
      case 'late':
      case 'last':
        late = run;
        if (mode === 'late') callsUntilIt = LATE_BY;
        throw fault(what, true);
      case 'other order':
      case 'break off': return run();
      default:
        dead = true;
        if (mode === 'stop after') await run();
        if (mode === 'tear') await torn?.();
        if (mode === 'stop, late') late = run;
        throw fault(what, false);
    }
  };

  return {
    address: inner.address,
    conditionalPut: () => inner.conditionalPut(),
    get calls() {
      return calls;
    },
    get struck() {
      return struck;
    },
    arrive,
    put: (name, bytes, options) => {
      // A signal ends the caller's wait, not what is on its way; and its memory is its own again.
      const sent = OF_WRITES.includes(mode) ? wholeOf(bytes) : bytes;
      return call({
        what: `put ${name}`, kind: 'write', torn: () => inner.put(name, halfOf(bytes)),
        run: () => inner.put(name, sent, mode === 'late' || mode === 'last' || mode === 'stop, late' ? {} : options),
      });
    },
    get: (name, range, options) => call({ what: `get ${name}`, kind: 'read', run: () => inner.get(name, range, options) }),
    stat: (name) => call({ what: `stat ${name}`, kind: 'read', run: () => inner.stat(name) }),
    delete: (name) => call({ what: `delete ${name}`, kind: 'write', run: () => inner.delete(name) }),
    async *list(prefix) {
      let isOdd = false;
      const names = await call({
        what: `list ${prefix}`, kind: 'list', run: async () => {
          isOdd = struck && calls === failAt;
          const all: ObjectInfo[] = [];
          for await (const object of inner.list(prefix)) all.push(object);
          return all;
        },
      });
      if (!isOdd || !OF_LISTS.includes(mode)) yield* names;
      else if (mode === 'other order') yield* fromTheEnds(names);
      else {
        yield* names.slice(0, Math.ceil(names.length / 2));
        throw fault(`list ${prefix}, behind half of it`, true);
      }
    },
    close: () => inner.close(),
  };
}

/** Does something at one call, before it happens. */
export function atCall(inner: Storage, at: number, act: () => Promise<void>): Storage & { readonly calls: number } {
  let calls = 0;
  const step = async (): Promise<void> => { if ((calls += 1) === at) await act(); };
  return {
    ...inner,
    get calls() { return calls; },
    async put(...args) { await step(); return inner.put(...args); },
    async get(...args) { await step(); return inner.get(...args); },
    async stat(name) { await step(); return inner.stat(name); },
    async delete(name) { await step(); return inner.delete(name); },
    async *list(prefix) { await step(); yield* inner.list(prefix); },
  };
}

/** The last, the first, the last but one, …: in no order, and neighbours apart. */
function fromTheEnds<T>(items: readonly T[]): T[] {
  const left = [...items];
  const turned: T[] = [];
  while (left.length > 0) turned.push(...left.splice(-1, 1), ...left.splice(0, 1));
  return turned;
}

function fault(what: string, retryable: boolean): LeafvaultError {
  return new LeafvaultError('STORAGE_FAILED', `A fault was injected at ${what}`, { retryable });
}

function wholeOf(bytes: Uint8Array | readonly Uint8Array[]): Buffer {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes);
}

function halfOf(bytes: Uint8Array | readonly Uint8Array[]): Buffer {
  const whole = wholeOf(bytes);
  return whole.subarray(0, Math.floor(whole.length / 2));
}
