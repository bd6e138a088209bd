// Instants that can't be restored, in the family's error body: always with the nearest ones that can.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { ErrorRow, ErrorTable } from './mms-failure.ts';
import { isoSeconds } from './time-text.ts';

/** Both doors know this code of the vendor's. */
const NO_CHECKPOINT = 'NO_CHECKPOINT_FOR_PIT_RESTORE';

/** @param refused status and errorCode of an instant that nothing holds; the texts are ours, the vendor's lists name none */
export function instantRows(refused: Pick<ErrorRow, 'status' | 'errorCode'>): ErrorTable {
  const row = (why: string): ErrorRow => ({ ...refused, detail: `The requested time ${why}. Nearest that can be restored: %s.`, parameters: ({ before, after }) => [nearestWords(before, after)] });
  return {
    CONTINUOUS_NO_WINDOW: {
      status: 409, errorCode: NO_CHECKPOINT,
      detail: 'A suitable checkpoint could not be found for the specified point-in-time restore: continuous backup of the cluster is %s, and nothing between snapshots can be restored.', parameters: ({ state }) => [state],
    },
    CONTINUOUS_IN_FUTURE: row('lies in the future'),
    CONTINUOUS_NOT_YET: row('is not kept yet, try again in a minute'),
    CONTINUOUS_IN_GAP: row('lies in a gap of the continuous backup'),
    CONTINUOUS_OUTSIDE_WINDOW: row('lies outside of what is kept'),
  };
}

function nearestWords(...instants: readonly unknown[]): string {
  const words = (instants as ({ readonly border: ClusterTime; readonly time: Date | null } | null | undefined)[]).flatMap((each) => {
    if (each == null) return [];
    const position = `oplogTs ${each.border.t}, oplogInc ${each.border.i}`;
    return [each.time === null ? position : `${isoSeconds(each.time)} (${position})`];
  });
  return words.length === 0 ? 'none' : words.join(' and ');
}
