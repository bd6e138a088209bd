// A restore that stops behind its proof, in databases of its own: what a drill does on a cluster. docs/design/drills.md
import { randomBytes } from 'node:crypto';
import type { RehearseRestore, RehearsalOptions, SettleRehearsal } from '../../contracts.ts';
import type { RestoreSelection } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { scratchDatabase } from '../../mongo/namespaces.ts';
import { collectionEntries } from '../../snapshot/index.ts';
import { parsePlan } from '../plan.ts';
import { restoreSnapshot } from '../restore.ts';
import { isSelected } from '../select-entries.ts';
import { settleRestore } from '../settle-restore.ts';
import { dropScratch, scratchDatabasesOf } from './drop-scratch.ts';

/**
 * Restores into scratch databases up to the proof, then takes everything away again. May be called again with the same
 * `restoreId`: what the attempt before left goes first. What an attempt that fails leaves is for `settleRehearsal`.
 * @throws what `restoreSnapshot` throws; RESTORE_SELECTION_EMPTY, RESTORE_SCRATCH_IN_USE
 */
export const rehearseRestore: RehearseRestore = async (options) => {
  await settleRehearsal(options);
  const selection = await scratchSelection(options);
  const result = await restoreSnapshot({ ...options, rehearse: true, selection, oldCollections: 'drop', timeSeries: 'refuse', usersAndRoles: false });
  await settleRehearsal(options);
  return result;
};

/** Drops shadows and scratch databases by the saved plan. @throws TARGET_UNREACHABLE, RESTORE_SCRATCH_IN_USE, what the journal throws when the lease is lost */
export const settleRehearsal: SettleRehearsal = async (options) => {
  const before = await options.journal.load();
  await settleRestore(options);
  // The plan that was saved last names all: an attempt saves its own only after this was done for the one before.
  const plan = (await options.journal.load()) ?? before;
  if (plan !== null) await dropScratch(options, scratchDatabasesOf(parsePlan(plan)));
};

/** Each database of the choice goes to one of our own, under a name that is new for each attempt. */
async function scratchSelection({ reader, root, namespaces }: RehearsalOptions): Promise<RestoreSelection> {
  const chosen: RestoreSelection = {
    databases: namespaces.filter((name) => !name.includes('.')), collections: namespaces.filter((name) => name.includes('.')), renames: [],
  };
  const databases = new Set<string>();
  for await (const { body: { kind, db, name } } of collectionEntries(reader, root)) {
    if (kind !== 'users' && kind !== 'roles' && isSelected(chosen, db, name)) databases.add(db);
  }
  // With no renames it would mean the whole cluster under its live names.
  if (databases.size === 0) {
    throw new LeafvaultError('RESTORE_SELECTION_EMPTY', `Rehearsing a restore was refused: ${namespaces.length === 0 ? 'the snapshot holds no collections' : `the snapshot holds nothing of ${namespaces.join(', ')}`}`, {
      hint: namespaces.length === 0 ? 'Take a snapshot of a cluster that holds something' : 'Correct `drills.namespaces` of the cluster in leafvault.yaml, or take a snapshot that has them',
    });
  }
  const mark = randomBytes(6).toString('hex');
  return { ...chosen, renames: [...databases].map((from, n) => ({ from, to: scratchDatabase(mark, n + 1) })) };
}
