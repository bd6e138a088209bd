// Takes a snapshot in a test: a repository in memory, a log that the test can listen to, cleaned up afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { captureWith, type CaptureSteps } from '../../src/engine/backup/index.ts';
import { settleCollection } from '../../src/engine/backup/settle/settle-collection.ts';
import type { CaptureOptions, SnapshotBody } from '../../src/engine/contracts.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { Repository, SnapshotRoot } from '../../src/repository/repository.ts';
import { readSettledEntries, type SettledEntry } from './settled.ts';

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface CaptureInTest extends Partial<Omit<CaptureOptions, 'previous' | 'uri' | 'writer' | 'hashSeed'>> {
  readonly uri: string;
  readonly repository: Repository;
  readonly previous?: SnapshotRoot | null;
  readonly onLog?: (line: LogLine) => void;
  readonly steps?: Partial<CaptureSteps>;
}

export interface CapturedInTest {
  readonly root: SnapshotRoot;
  readonly body: SnapshotBody;
  readonly missing: readonly string[];
}

/** Captures and commits; aborts the writer where that fails. */
export async function takeSnapshot(options: CaptureInTest): Promise<CapturedInTest> {
  const { repository, previous = null } = options;
  const tempDir = options.tempDir ?? (await mkdtemp(join(tmpdir(), 'leafvault-capture-')));
  const writer = await repository.openWriter();
  const reader = await repository.openReader();
  const onLog = options.onLog ?? ((): void => undefined);
  try {
    const { body, missing = [] } = await captureWith({
      onProgress: () => undefined,
      signal: new AbortController().signal,
      clock: systemClock,
      ...options,
      log: options.log ?? pino({ level: 'trace', base: undefined }, { write: (text: string) => onLog(JSON.parse(text) as LogLine) }),
      previous: previous === null ? null : { root: previous, reader },
      hashSeed: repository.hashSeed,
      writer,
      tempDir,
    }, { settleCollection, ...options.steps });
    const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: { ...body } });
    return { root, body, missing };
  } finally {
    await writer.abort();
    await reader.close();
    if (options.tempDir === undefined) await rm(tempDir, { recursive: true, force: true });
  }
}

/** What the snapshot holds, read the plain way. */
export async function readBack(repository: Repository, root: SnapshotRoot): Promise<Map<string, SettledEntry>> {
  const reader = await repository.openReader();
  try {
    return await readSettledEntries(reader, root);
  } finally {
    await reader.close();
  }
}
