// Whether a snapshot can be brought to an instant at all.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../../domain/cluster-time.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { KeptInstant, SnapshotBody } from '../../contracts.ts';
import { showNamespace } from '../../mongo/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';

export interface Base {
  /** T1: the instant that the snapshot stands for. */
  readonly at: ClusterTime;
  /** T0: no later than the begin of what the snapshot itself needed of the oplog. */
  readonly beganAt: ClusterTime;
}

/** @throws RESTORE_BASE_UNSUITABLE, RESTORE_INSTANT_OUTSIDE when the border lies before the snapshot */
export function checkBase(body: SnapshotBody, entries: readonly CollectionEntry[], instant: KeptInstant): Base {
  const at = body.pointInTime;
  if (body.consistency !== 'point-in-time' || at === null) throw unsuitable('the snapshot is not of one instant');
  const { replicaSetId } = body.source;
  if (replicaSetId !== null && instant.replicaSetId !== null && replicaSetId !== instant.replicaSetId) {
    throw unsuitable(`the snapshot is of the replica set ${replicaSetId}, the kept oplog of ${instant.replicaSetId}`);
  }
  const nameless = entries.find(({ body: { kind, uuid } }) => kind !== 'view' && uuid === null);
  if (nameless !== undefined) throw unsuitable(`the snapshot does not say the UUID of ${showNamespace(nameless.namespace)}`);
  if (compareClusterTimes(instant.border, at) < 0) {
    throw outside(`the instant ${showClusterTime(instant.border)} lies before the snapshot, which stands for ${showClusterTime(at)}`, { base: at, border: instant.border });
  }
  return { at, beganAt: body.beganAt !== null && compareClusterTimes(body.beganAt, at) < 0 ? body.beganAt : at };
}

/** RESTORE_INSTANT_OUTSIDE */
export function outside(reason: string, details: Readonly<Record<string, unknown>>): LeafvaultError {
  return new LeafvaultError('RESTORE_INSTANT_OUTSIDE', `Restoring to an instant was refused: ${reason}`, {
    details, hint: 'Choose an instant within the window of continuous backup, or another snapshot as the base',
  });
}

function unsuitable(reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_BASE_UNSUITABLE', `Restoring to an instant was refused: ${reason}`, {
    hint: 'Take a snapshot of a replica set as the base, while continuous backup runs',
  });
}
