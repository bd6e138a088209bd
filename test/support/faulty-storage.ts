// A store that fails at one chosen call, in the ways that real ones do.
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { ObjectInfo, Storage } from '../../src/storage/index.ts';

/**
 * - `stop`: the call does not happen, nor does any after it: the process died before it.
 * - `stop after`: the call happens, its answer is lost, nothing happens after it: the process died behind it.
 * - `tear`: a put leaves half of its object under its name, then everything stops. Worse than a store may be.
 * - `fail once`: the call does not happen and says that trying again may help.
 * - `lose answer`: the call happens and says that it failed and that trying again may help.
 */
export type FaultMode = 'stop' | 'stop after' | 'tear' | 'fail once' | 'lose answer';

export const FAULT_MODES: readonly FaultMode[] = ['stop', 'stop after', 'tear', 'fail once', 'lose answer'];

/** The long form strikes every call; the short one every third, from another one on each time. */
const CALLS_APART = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 1 : 3;

/**
 * Strikes call after call until one is not reached any more.
 * @param strikeAt false when what is struck was through before the call came
 * @returns how many calls there are, at least; what was struck goes to the test's diagnostics
 */
export async function strikeCalls(context: { diagnostic(text: string): void }, strikeAt: (call: number) => Promise<boolean>): Promise<number> {
  const first = 1 + Math.floor(Math.random() * CALLS_APART);
  let call = first;
  let struck = 0;
  for (; await strikeAt(call); call += CALLS_APART) struck += 1;
  context.diagnostic(`${struck} calls struck: ${CALLS_APART === 1 ? 'each' : `every third of up to ${call - 1}, from call ${first} on`}`);
  return call - 1;
}

export interface FaultyStorage extends Storage {
  /** Calls that were made, the failed ones included. A listing counts once. */
  readonly calls: number;
  /** True once the fault has struck. */
  readonly struck: boolean;
}

/** @param failAt number of the call that fails, from 1; 0 never fails and only counts */
export function createFaultyStorage(inner: Storage, failAt: number, mode: FaultMode = 'stop'): FaultyStorage {
  let calls = 0;
  let struck = false;
  let dead = false;

  const call = async <T>(what: string, run: () => Promise<T>, torn?: () => Promise<unknown>): Promise<T> => {
    if (dead) throw fault(`${what}: the process is dead`, false);
    calls += 1;
    if (calls !== failAt) return run();
    struck = true;
    if (mode === 'fail once') throw fault(what, true);
    if (mode === 'lose answer') {
      await run();
      throw fault(what, true);
    }
    dead = true;
    if (mode === 'stop after') await run();
    if (mode === 'tear') await torn?.();
    throw fault(what, false);
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
    put: (name, bytes, options) => call(`put ${name}`, () => inner.put(name, bytes, options), () => inner.put(name, halfOf(bytes))),
    get: (name, range, options) => call(`get ${name}`, () => inner.get(name, range, options)),
    stat: (name) => call(`stat ${name}`, () => inner.stat(name)),
    delete: (name) => call(`delete ${name}`, () => inner.delete(name)),
    async *list(prefix) {
      const names = await call(`list ${prefix}`, async () => {
        const all: ObjectInfo[] = [];
        for await (const object of inner.list(prefix)) all.push(object);
        return all;
      });
      yield* names;
    },
    close: () => inner.close(),
  };
}

function fault(what: string, retryable: boolean): LeafvaultError {
  return new LeafvaultError('STORAGE_FAILED', `A fault was injected at ${what}`, { retryable });
}

function halfOf(bytes: Uint8Array | readonly Uint8Array[]): Buffer {
  const whole = bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes);
  return whole.subarray(0, Math.floor(whole.length / 2));
}
