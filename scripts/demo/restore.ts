// The accident and the way back: an automated restore job, then every document and index compared.
import type { MongoClient } from 'mongodb';
import type { Taken } from './back-up.ts';
import { ATLAS_V2, type Doors } from './doors.ts';
import { fingerprint } from './fingerprint.ts';
import { documentsOf, proveDocuments, proveMaking } from './prove.ts';
import { CLUSTER, PROJECT } from './stage.ts';
import type { Story } from './story.ts';
import { newestFailure, watchJob } from './watch-job.ts';

/** Drops one database and harms another in ways that a count would not show. */
export async function damage(story: Story, client: MongoClient): Promise<void> {
  await client.db('shop').dropDatabase();
  story.say('the database "shop" is dropped');
  const crm = client.db('crm');
  const changed = await crm.collection('contacts').updateMany({ customer: { $mod: [3, 0] } }, { $set: { name: 'ENCRYPTED' } });
  const deleted = await crm.collection('contacts').deleteMany({ customer: { $mod: [10, 1] } });
  await crm.collection('contacts').insertMany(Array.from({ length: deleted.deletedCount }, (_, index) => ({ customer: -index, name: 'nobody' })));
  await crm.collection('contacts').dropIndex('down and up');
  await crm.collection('ransom_note').insertOne({ text: 'pay' });
  story.say(`in "crm" ${changed.modifiedCount} contacts are overwritten, ${deleted.deletedCount} replaced by strangers (the count still fits), an index is gone, a ransom note is there`);
  await client.db('odd').collection<{ _id: string }>('documents').deleteOne({ _id: 'a name twice' });
}

export async function restoreEverything(options: { readonly story: Story; readonly doors: Doors; readonly client: MongoClient; readonly taken: Taken }): Promise<void> {
  const { story, doors, client, taken } = options;
  const { body } = await doors.digest.call('POST', `${doors.atlasV2}/restoreJobs`, {
    headers: ATLAS_V2, body: { deliveryType: 'automated', snapshotId: taken.snapshotId, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name },
    meaning: (answer) => `restore job ${String(answer.body.id)}: load beside the live data, build indexes, read everything back, then swap`,
  });
  const path = `${doors.atlasV2}/restoreJobs/${String(body.id)}`;
  await watchJob({
    story, label: 'restoring          ', commvault: doors.commvault,
    async isOver() {
      const answer = await doors.digest.call('GET', path, { headers: ATLAS_V2 });
      if (answer.body.failed === true || answer.body.cancelled === true) throw new Error(`The restore job ended badly: ${await newestFailure(doors.commvault)}`);
      return answer.body.finishedAt !== undefined;
    },
  });
  await doors.digest.call('GET', `${doors.atlasV2}/restoreJobs`, {
    headers: ATLAS_V2, meaning: (answer) => `${String(answer.body.totalCount)} restore job, finished, neither failed nor cancelled nor expired`,
  });
  const kept = await keptForUndo(client);
  const after = new Map([...(await fingerprint(client))].filter(([namespace]) => !kept.has(namespace)));
  const proof = proveDocuments(taken.before, taken.journals, documentsOf(after));
  story.proven('Every document is back, byte by byte', `${proof.documents.toLocaleString('en')} documents in ${proof.collections} collections`);
  const inSnapshot = proof.prefixes.reduce((sum, each) => sum + each.kept, 0);
  const all = proof.prefixes.reduce((sum, each) => sum + each.of, 0);
  if (inSnapshot === 0 || inSnapshot === all) throw new Error(`The snapshot holds ${inSnapshot} of ${all} transactions: it was not taken while the shop was selling`);
  story.proven('The snapshot is one instant', `the first ${proof.prefixes.map((each) => each.kept).join(' / ')} of ${proof.prefixes.map((each) => each.of).join(' / ')} transactions of the writers, whole`);
  const made = proveMaking(taken.before, after);
  story.proven('Indexes, options, views, capped order', `${made.collections} collections as they were; the ransom note is gone`);
  if (kept.size === 0) throw new Error('Nothing was kept for an undo');
  story.proven('What was replaced is kept for a day', `${kept.size} collections, for an undo`);
}

/** As the plan on the cluster names them: what a restore replaced. */
async function keptForUndo(client: MongoClient): Promise<ReadonlySet<string>> {
  const plans = await client.db('__leafvault').collection('plans').find().toArray();
  return new Set(plans.flatMap(({ kept }) => kept as string[]));
}
