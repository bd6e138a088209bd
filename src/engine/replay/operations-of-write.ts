// What a write of the oplog is to the table: one operation of one `_id`, but for a replacement that gives its document
// an equal `_id` of other bytes.
import type { WriteOp } from '../backup/oplog/oplog-entry.ts';
import { rawId } from '../bson/index.ts';
import type { NewOperation } from './operations-table.ts';

/**
 * A replacement (or pipeline) may turn `_id: 1` into `_id: 1.0`: `o2` has the old bytes, `o` the new ones, and later
 * entries name the new ones (checked on 6.0.5 in fold-real-oplog.test.ts). Under its old bytes the document goes, under
 * its new bytes it comes, whole.
 */
export function operationsOfWrite(op: WriteOp): readonly NewOperation[] {
  const id = op.id ?? Buffer.alloc(0);
  const next = op.kind === 'update' ? rawId(op.object) : null;
  if (next === null || next.equals(id)) return [{ kind: op.kind, id, object: op.object }];
  return [{ kind: 'delete', id, object: op.object }, { kind: 'insert', id: next, object: op.object }];
}
