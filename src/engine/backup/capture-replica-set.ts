// One attempt on a member of a replica set: list, follow the oplog while scanning, settle at T1, store.
import { join } from 'node:path';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { takes } from '../../domain/namespace-selection.ts';
import type { CaptureOptions } from '../contracts.ts';
import type { CaptureContext } from './capture-context.ts';
import { chooseCollections } from './collections/choose-collections.ts';
import { listCatalog } from './collections/list-catalog.ts';
import { followOplog } from './oplog/follow-oplog.ts';
import { createOplogJournal } from './oplog/oplog-journal.ts';
import type { PreviousSnapshot } from './previous-snapshot.ts';
import { scanPending, type Scans } from './scan/scan-pending.ts';
import { readShadows } from './settle/read-instant.ts';
import { settleInstant, type SettleState } from './settle/settle-instant.ts';
import type { SettleCollection } from './settle/store-lists.ts';
import { createTouchedTable } from './settle/touched-table.ts';
import { storeEntries, type EntryTotals } from './store-entries.ts';

export interface AttemptInput {
  readonly selection: CaptureOptions['selection'];
  readonly previous: PreviousSnapshot;
  readonly settle: SettleCollection;
}

export interface AttemptResult extends EntryTotals {
  readonly beganAt: ClusterTime | null;
  readonly pointInTime: ClusterTime | null;
}

export async function captureReplicaSet(context: CaptureContext, input: AttemptInput): Promise<AttemptResult> {
  const touched = createTouchedTable(join(context.folder, 'touched.sqlite'));
  const scans: Scans = new Map();
  try {
    return await runAttempt(context, input, { touched, scans });
  } finally {
    touched.close();
  }
}

async function runAttempt(context: CaptureContext, input: AttemptInput, { touched, scans }: Pick<SettleState, 'touched'> & { readonly scans: Scans }): Promise<AttemptResult> {
  const { source, watch } = context;
  watch.enter('list');
  const beganAt = await source.majorityTime();
  const catalog = await listCatalog(context, beganAt);
  const journal = createOplogJournal({ catalog, touched });
  const listed = source.seen;
  const follower = followOplog({
    source, journal, from: beganAt, signal: context.signal,
    together: (changes) => touched.together(changes),
    onEntries: (entries) => { if (entries > 0) watch.beat(); },
  });
  if (listed !== null) follower.expect(listed);
  const scanning = {
    scans,
    refused: new Set<string>(),
    keepRecords: true,
    before: input.previous.collection,
    begin: (uuid: string): ClusterTime => {
      journal.track(uuid);
      return follower.position;
    },
    gone: (uuid: string): void => journal.untrack(uuid),
  };
  try {
    const work = async (): Promise<AttemptResult> => {
      await context.onPhase('listed');
      watch.enter('scan');
      const shadows = await readShadows(context, catalog, { level: 'majority' });
      await scanPending(context, chooseCollections(catalog, { selection: input.selection, shadows, temporaries: true }), scanning);
      await context.onPhase('scanned');
      watch.enter('settle');
      const instant = await settleInstant(context, { catalog, journal, touched, follower, scanning, selection: input.selection });
      await context.onPhase('settled');
      await follower.stop();
      watch.enter('store');
      const totals = await storeEntries(context, {
        chosen: instant.chosen.filter(({ collection }) => !scanning.refused.has(collection.uuid)),
        views: instant.views.filter(({ db, name }) => takes(input.selection, db, name) && !instant.shadows.has(`${db}.${name}`)),
        scans,
        touchedOf: (uuid) => ({ table: touched, number: journal.numberOf(uuid) }),
        settle: input.settle,
        selection: input.selection,
      });
      await context.onPhase('stored');
      return { ...totals, beganAt, pointInTime: instant.time };
    };
    // Whatever ends the following of the oplog ends the attempt at once.
    return await Promise.race([work(), follower.done.then(() => new Promise<never>(() => undefined))]);
  } finally {
    await follower.stop();
  }
}
