// What stopped the filling of a time series.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import type { TimeSeriesStep } from '../plan.ts';

/** To be tried again: the plan stays `committed`. */
export function fillFailed(step: TimeSeriesStep, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_FINISH_FAILED', `Filling the time series ${showNamespace(`${step.db}.${step.name}`)} failed: ${reason}`, {
    retryable: true, hint: 'Try again: what is left is done from the plan',
  });
}
