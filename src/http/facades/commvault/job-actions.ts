// What is done to a job: kill, pause, resume, Resubmit. What can't be done is told inside a body that answers 200, where the SDK reads it.
import type { FastifyRequest } from 'fastify';
import { isLeafvaultError } from '../../../foundation/errors.ts';
import type { Job } from '../../../domain/records.ts';
import type { Principal } from '../../../domain/roles.ts';
import type { Services } from '../../../services/contracts.ts';
import { rolesToChange } from '../../authorize.ts';
import { principalOf } from '../../facade.ts';
import { parameterInAnyCase } from '../../wire/read-query.ts';
import { unsupported, wordsOf } from './errors.ts';
import { numberIn, visibleJob } from './jobs.ts';
import { requireChange } from './resolve-entity.ts';

interface Order { readonly job: Job; readonly principal: Principal; readonly startSuspended: boolean }

const DONE = { errorCode: 0, errorMessage: '' };

const ACTIONS: Readonly<Record<string, (services: Services, order: Order) => Promise<object>>> = {
  async kill({ jobs }, { job, principal }) {
    await jobs.cancel(job.id, principal);
    return DONE;
  },
  async pause({ jobs }, { job }) {
    await jobs.pause(job.id);
    return DONE;
  },
  async resume({ jobs }, { job }) {
    await jobs.resume(job.id);
    return DONE;
  },
  async resubmit({ jobs }, { job, principal, startSuspended }) {
    const { number } = await jobs.repeat(job.id, principal, { pause: startSuspended });
    return { ...DONE, jobIds: [String(number)] };
  },
};

/** About the job itself; anything else is a fault of the request. */
const TOLD_INSIDE = ['TASK_UNSUPPORTED', 'JOB_NOT_CANCELLABLE', 'JOB_NOT_PAUSABLE', 'JOB_NOT_PAUSED', 'JOB_NOT_REPEATABLE', 'SELECTION_EMPTY', 'SNAPSHOT_NOT_FOUND', 'SNAPSHOT_NOT_COMPLETE', 'TARGET_NOT_FOUND'];

export async function actOnJob(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  const { action = '' } = request.params as { action?: string };
  const { job, place } = await visibleJob(services, principal, numberIn(request));
  await requireChange(services, request, place, rolesToChange(job.kind));
  const startSuspended = (parameterInAnyCase(request.query, 'startInSuspendedState') ?? '').toLowerCase() === 'true';
  try {
    const act = ACTIONS[action.toLowerCase()];
    if (act === undefined) throw unsupported(`The action ${action}`);
    return await act(services, { job, principal, startSuspended });
  } catch (error) {
    if (!isLeafvaultError(error) || !TOLD_INSIDE.includes(error.code)) throw error;
    request.auditStatus = 409;
    const { errorCode, errorMessage } = wordsOf(error);
    return { errors: [{ errList: [{ errorCode, errLogMessage: errorMessage }] }] };
  }
}
