// Our own API: what a backup schedule would do, by the code that does it.
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { parameter, wholeNumber } from '../wire/read-query.ts';
import { clusterOf } from './cluster-of.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 3_660;
const LIMIT = 100;
const MOST = 1_000;
/** With its zone: without one it would be the server's. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** `until`: 30 days from now unless told, ten years at most. `limit`: 100 unless told. */
export async function previewSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const until = untilOf(call);
  const { runs, isCut } = await call.services.schedules.preview(cluster, { until, limit: wholeNumber(call.query, 'limit', 1, MOST) ?? LIMIT });
  return {
    kind: 'one',
    body: {
      until: until.toISOString(), isCut,
      runs: runs.map(({ at, frequencyType, items, expiresAt, missed }) => ({ at: at.toISOString(), frequencyType, policyItems: items.map(({ id }) => id), expiresAt: expiresAt.toISOString(), missed })),
    },
  };
}

function untilOf({ query, clock }: ProjectCall): Date {
  const now = clock.now().getTime();
  const text = parameter(query, 'until');
  if (text === undefined) return new Date(now + DEFAULT_DAYS * DAY_MS);
  const time = ISO_TIME.test(text) ? Date.parse(text) : NaN;
  if (time > now && time - now <= MOST_DAYS * DAY_MS) return new Date(time);
  throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: until must be a time with its zone, from now to ${MOST_DAYS} days on`, { details: { name: 'until', value: text } });
}
