// Stands between a restore and its target: changes the batches of `applyOps` on their way, so that the server does
// something else than it was told and still says that all went well.
import { BSON, Db, type Document } from 'mongodb';
import { rawArray, rawChild, rawFields } from '../../src/engine/bson/index.ts';
import { loadRawArrayMaker } from '../../src/engine/mongo/raw-array.ts';

/** Gets the entries of a batch, gives those that are sent. */
export type ChangeBatch = (entries: readonly Buffer[]) => readonly Buffer[];

export interface ReplayChange extends Disposable {
  /** Entries of all batches so far, as the restore sent them. */
  readonly sent: readonly Buffer[];
}

/** Until it is disposed of. @param after called when a batch was answered, with its number */
export function changeReplay(change: ChangeBatch, after: (batch: number, db: Db) => Promise<void> = async () => undefined): ReplayChange {
  const makeArray = loadRawArrayMaker();
  if (makeArray === null) throw new Error('This driver takes no raw arrays');
  const real = Db.prototype.command;
  const sent: Buffer[] = [];
  let batch = 0;
  Db.prototype.command = async function (this: Db, command: Document, ...rest): Promise<Document> {
    if (command.applyOps === undefined) return real.call(this, command, ...rest);
    const entries = entriesOf(command);
    sent.push(...entries);
    const changed = change(entries);
    const array = rawArray(changed.map((entry) => Buffer.concat([Buffer.of(3), entry])));
    const answer = changed.length === 0 ? {} : await real.call(this, { ...command, applyOps: makeArray('applyOps', array) }, ...rest);
    batch += 1;
    await after(batch, this);
    return { ...answer, results: entries.map(() => true) };
  };
  return { sent, [Symbol.dispose]: () => void (Db.prototype.command = real) };
}

function entriesOf(command: Document): Buffer[] {
  const list = rawChild(BSON.serialize({ applyOps: command.applyOps as unknown }), 'applyOps') as Buffer;
  return [...rawFields(list)].map((field) => list.subarray(field.valueAt, field.end));
}
