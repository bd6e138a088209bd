// The verify job: one snapshot read back whole, or the repository checked.
import type { Catalog } from '../../catalog/index.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { CheckProblem, Repository } from '../../repository/repository.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import type { JobContext, JobHandler } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { requireSnapshot } from './required-rows.ts';

export interface VerifyParts { readonly catalog: Catalog; readonly repositories: RepositoryProvider }

const PROBLEMS_IN_MESSAGE = 5;

export function createVerify({ catalog, repositories }: VerifyParts): JobHandler {
  return async (context) => {
    const { snapshotId, readData } = JOB_PAYLOADS.verify.parse(context.job.payload);
    const repository = await repositories.forProject(context.job.projectId);
    if (snapshotId === null) await checkRepository(repository, readData, context);
    else await readSnapshot(repository, (await requireSnapshot(catalog, { snapshotId })).id, readData, context);
    return () => Promise.resolve();
  };
}

async function checkRepository(repository: Repository, readData: boolean, { signal, onProgress }: JobContext): Promise<void> {
  const { problems } = await repository.check({ readData, signal, onProgress });
  if (problems.length > 0) throw damaged(problems);
}

function damaged(problems: readonly CheckProblem[]): LeafvaultError {
  const first = problems.slice(0, PROBLEMS_IN_MESSAGE).map(({ object, message }) => `${object}: ${message}`).join('; ');
  const more = problems.length > PROBLEMS_IN_MESSAGE ? ` and ${problems.length - PROBLEMS_IN_MESSAGE} more` : '';
  return new LeafvaultError('JOBS_DATA_DAMAGED', `Checking the repository found ${problems.length} problems: ${first}${more}`, {
    hint: 'Keep the repository as it is; snapshots that are not named can still be restored', details: { problems: problems.length },
  });
}

/** Every page, and with `readData` every chunk, is decrypted and compared with its id; the first damage fails the job by name. */
async function readSnapshot(repository: Repository, snapshotId: string, readData: boolean, { signal, onProgress }: JobContext): Promise<void> {
  const reader = await repository.openReader();
  let documentsDone = 0;
  let bytesDone = 0;
  const tell = (namespace: string, { records, rawBytes }: { readonly records: number; readonly rawBytes: number }): void => {
    documentsDone += records;
    bytesDone += rawBytes;
    onProgress({ phase: 'verify', documentsDone, documentsTotal: null, bytesDone, bytesTotal: null, namespace });
  };
  try {
    const root = await repository.loadSnapshot(snapshotId);
    for await (const { name, lists } of reader.entries(root)) {
      for (const list of Object.values(lists)) {
        if (readData) for await (const { ref } of reader.chunks(list, { signal })) tell(name, ref);
        else for await (const ref of reader.refs(list)) tell(name, ref);
        signal.throwIfAborted();
      }
    }
  } finally {
    await reader.close();
  }
}
