// A store in memory: for tests and for trying things out. Keeps the whole contract, durability aside.
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName } from '../object-name.ts';
import type { ObjectInfo, Storage } from '../storage.ts';

/** A fresh, empty store. `name` only serves messages. */
export function createMemoryStorage(name: string = 'memory'): Storage {
  const objects = new Map<string, Buffer>();
  return {
    address: `memory:${name}`,
    conditionalPut: () => Promise.resolve(true),

    async put(objectName, bytes, options) {
      assertObjectName(objectName);
      throwIfAborted(options?.signal);
      if (objects.has(objectName)) {
        throw new LeafvaultError('STORAGE_OBJECT_EXISTS', `Storing ${objectName} failed: it exists already`, { details: { name: objectName } });
      }
      objects.set(objectName, copyOf(bytes));
    },

    async get(objectName, range, options) {
      assertObjectName(objectName);
      throwIfAborted(options?.signal);
      const whole = objects.get(objectName);
      if (whole === undefined) {
        throw new LeafvaultError('STORAGE_OBJECT_MISSING', `Reading ${objectName} failed: there is no such object`, { details: { name: objectName } });
      }
      if (range === undefined) return Buffer.from(whole);
      const end = range.offset + range.length;
      if (range.offset < 0 || range.length < 0 || end > whole.length) {
        throw new LeafvaultError('STORAGE_RANGE_INVALID', `Reading bytes ${range.offset} to ${end} of ${objectName} failed: it has ${whole.length}`, {
          details: { name: objectName, sizeBytes: whole.length },
        });
      }
      return Buffer.from(whole.subarray(range.offset, end));
    },

    async stat(objectName) {
      assertObjectName(objectName);
      const found = objects.get(objectName);
      return found === undefined ? null : { name: objectName, sizeBytes: found.length };
    },

    async *list(prefix): AsyncIterable<ObjectInfo> {
      for (const objectName of [...objects.keys()]) {
        const found = objects.get(objectName);
        if (found !== undefined && objectName.startsWith(prefix)) yield { name: objectName, sizeBytes: found.length };
      }
    },

    async delete(objectName) {
      assertObjectName(objectName);
      objects.delete(objectName);
    },

    async close() {
      // Nothing is held open; what was stored stays with whoever holds the store.
    },
  };
}

function copyOf(bytes: Uint8Array | readonly Uint8Array[]): Buffer {
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes);
}
