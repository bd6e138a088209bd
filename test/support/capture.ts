// Takes a snapshot in a test: a repository in memory, a log that the test can listen to, cleaned up afterwards.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { captureWith, type CaptureSteps } from '../../src/engine/backup/index.ts';
import { settleCollection } from '../../src/engine/backup/settle/settle-collection.ts';
import type { CaptureOptions, CaptureRest, SnapshotBody } from '../../src/engine/contracts.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { Repository, SnapshotRoot } from '../../src/repository/repository.ts';
import { PATIENCE_MS } from './patience.ts';
import { readSettledEntries, type SettledEntry } from './settled.ts';

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface CaptureInTest extends Partial<Omit<CaptureOptions, 'previous' | 'uri' | 'writer' | 'hashSeed'>> {
  readonly uri: string;
  readonly repository: Repository;
  readonly previous?: SnapshotRoot | null;
  /** Of the snapshot; default: a new one, of the series `test`. */
  readonly root?: { readonly id: string; readonly series: string };
  /** A rest to go on from. */
  readonly goOnFrom?: CaptureRest['document'];
  readonly onLog?: (line: LogLine) => void;
  readonly steps?: Partial<CaptureSteps>;
}

/** A capture that is told to rest, and what it kept. */
export interface RestInTest extends CaptureInTest {
  /** Ends the capture. */
  readonly pause: AbortController;
  readonly withinMs?: number;
}

const PAUSED = new LeafvaultError('JOBS_PAUSED', 'paused by the test');

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
      ...(options.goOnFrom === undefined ? {} : { rest: { document: options.goOnFrom, reader } }),
      log: options.log ?? pino({ level: 'trace', base: undefined }, { write: (text: string) => onLog(JSON.parse(text) as LogLine) }),
      previous: previous === null ? null : { root: previous, reader },
      hashSeed: repository.hashSeed,
      writer,
      tempDir,
    }, { settleCollection, ...options.steps });
    const root = await writer.commit({ id: newId(), series: 'test', ...options.root, createdAt: new Date().toISOString(), body: { ...body } });
    return { root, body, missing };
  } finally {
    await writer.abort();
    await reader.close();
    if (options.tempDir === undefined) await rm(tempDir, { recursive: true, force: true });
  }
}

/** Captures until `pause.abort()` is called; gives what was kept, as a catalog gives it back. */
export async function captureUntilRest(options: RestInTest): Promise<CaptureRest | null> {
  let kept: CaptureRest | null = null;
  const { pause, withinMs = PATIENCE_MS, ...capture } = options;
  const resting = takeSnapshot({ ...capture, signal: pause.signal, restWithinMs: () => withinMs, onRest: async (rest) => { kept = rest; } });
  await assert.rejects(resting, { code: 'JOBS_PAUSED' });
  return kept === null ? null : (JSON.parse(JSON.stringify(kept)) as CaptureRest);
}

/** Its signal fires as that of a paused job. */
export function pauseFor(): { readonly pause: AbortController; readonly now: () => void } {
  const pause = new AbortController();
  return { pause, now: () => pause.abort(PAUSED) };
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
