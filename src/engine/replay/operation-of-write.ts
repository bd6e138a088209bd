// What a write of the oplog is to the table.
import type { WriteOp } from '../backup/oplog/oplog-entry.ts';
import type { NewOperation } from './operations-table.ts';

export function operationOfWrite({ kind, id, newId, object, asAsked }: WriteOp): NewOperation {
  return { kind, id: id ?? Buffer.alloc(0), newId, object, ...(asAsked === true ? { asAsked } : {}) };
}
