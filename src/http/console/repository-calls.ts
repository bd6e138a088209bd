// The upkeep of the repository in our own API: what checks found, how far prunes and second copies are, how objects are held.
import type { CheckView, UpkeepView } from '../../services/contracts.ts';
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';

/** One repository serves the whole installation: of other projects nothing is named, and addresses are not for everybody. */
export async function getUpkeep({ services, project }: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentUpkeep(await services.upkeep.read(project.id)) };
}

function presentUpkeep({ check, prune, copies, locks, mended }: UpkeepView): object {
  return {
    check: check === null ? null : presentCheck(check),
    prune: prune === null ? null : { ...prune, last: prune.last === null ? null : { ...prune.last, inTheWay: prune.last.inTheWay.map(({ owner: _, ...each }) => each) } },
    copies: copies.map(({ address: _, ...copy }) => copy),
    objectLock: locks,
    mended,
  };
}

function presentCheck({ nextPart, dueAt, running, last, failure, damaged, damagedElsewhere }: CheckView): object {
  return {
    nextPart, dueAt, failure,
    running: running === null ? null : { since: running.since, beatAt: running.beatAt, progress: running.progress ?? null },
    last: last === null ? null : {
      ...last, damaged: damaged.map(({ projectId: _, ...each }) => each), damagedElsewhere,
      lostSnapshots: (last.lostSnapshots ?? []).filter((id) => damaged.some(({ snapshotId }) => snapshotId === id)),
    },
  };
}
