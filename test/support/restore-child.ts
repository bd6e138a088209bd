// A process that restores, made to be killed: it tells each step it comes to and goes on when it is told to.
// Arguments: a JSON object (RestoreChildOptions). Messages out: {step} and {done} or {failed}; in: 'go'.
import { readFileSync } from 'node:fs';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterTime } from '../../src/domain/cluster-time.ts';
import { slicesOfChain } from '../../src/engine/oplog/slices-of-chain.ts';
import type { RestoreJournal, RestoreOptions } from '../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../src/engine/restore/index.ts';
import { describeError } from '../../src/foundation/errors.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { openTestRepository } from './repository-fixture.ts';

export interface RestoreChildOptions {
  readonly restoreId: string;
  readonly uri: string;
  readonly repositoryFolder: string;
  readonly snapshotId: string;
  readonly journalFile: string;
  /** Of the parent, which removes it: this process may be killed. */
  readonly tempFolder: string;
  /** Brings the snapshot to an instant by a chain of the same repository. */
  readonly instant?: { readonly chainId: string; readonly border: ClusterTime };
  readonly changes: Partial<Pick<RestoreOptions, 'selection' | 'timeSeries' | 'oldCollections' | 'usersAndRoles'>>;
}

/** A journal in a file; `onStep` is told before and after each save. */
export function fileJournal(path: string, onStep: (step: string) => Promise<void> = async () => undefined): RestoreJournal {
  return {
    async load() {
      try {
        return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
      } catch {
        // No file: nothing was saved.
        return null;
      }
    },
    async save(plan) {
      await onStep(`before-save:${String(plan['state'])}`);
      await writeFile(`${path}.new`, JSON.stringify(plan));
      await rename(`${path}.new`, path);
      await onStep(`after-save:${String(plan['state'])}`);
    },
  };
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '{}') as RestoreChildOptions);

async function main(options: RestoreChildOptions): Promise<void> {
  const onStep = (step: string): Promise<void> => new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send?.({ step });
  });
  const repository = await openTestRepository(createLocalStorage(options.repositoryFolder));
  const reader = await repository.openReader();
  try {
    await restoreSnapshot({
      restoreId: options.restoreId, reader, hashSeed: repository.hashSeed, root: await repository.loadSnapshot(options.snapshotId),
      target: { uri: options.uri }, selection: { databases: [], collections: [], renames: [] }, indexStrategy: 'ALL', usersAndRoles: false,
      timeSeries: 'refuse', oldCollections: 'drop', journal: fileJournal(options.journalFile, onStep),
      tempDir: await mkdtemp(join(options.tempFolder, 'child-')), signal: new AbortController().signal, onProgress: () => undefined,
      log: createLogger('silent'), clock: systemClock, onPhase: onStep, ...options.changes,
      ...(options.instant === undefined ? {} : { instant: { border: options.instant.border, replicaSetId: null, slices: slicesOfChain({ chains: repository.chains, chainId: options.instant.chainId }) } }),
    });
    process.send?.({ done: true });
  } catch (error) {
    process.send?.({ failed: describeError(error) });
  } finally {
    await reader.close();
    await repository.close();
    process.disconnect?.();
  }
}
