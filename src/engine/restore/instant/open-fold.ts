// The fold that fits a collection; null where nothing of it changes between base and border.
import { join } from 'node:path';
import { createKernel } from '../../bson/index.ts';
import { limitsOf, needsRoom } from '../capped-room.ts';
import type { Load, RestoreContext } from '../context.ts';
import type { OnSkipped } from '../../replay/index.ts';
import type { ContentFold } from './content-fold.ts';
import { openCappedFold } from './fold-capped.ts';
import { openTouchedFold } from './fold-touched.ts';
import { skipIn } from './instant-left-out.ts';

export async function openFold({ instant, options }: RestoreContext, load: Load): Promise<ContentFold | null> {
  const { entry, step } = load;
  const number = instant?.numberOf(entry) ?? null;
  if (instant === null || number === null || instant.table.operationCount(number) === 0) return null;
  const { table, met, folder } = instant;
  const skip = skipIn(instant);
  const onSkipped: OnSkipped = (operation) => {
    load.skipped += 1;
    skip(operation);
  };
  const fold = { table, number, namespace: step.from, buckets: entry.body.kind === 'timeseries', kernel: createKernel(options.hashSeed), signal: options.signal, onSkipped };
  if (!entry.body.capped) return openTouchedFold({ ...fold, met, tempDir: folder });
  return openCappedFold({ ...fold, path: join(folder, `capped-${number}`), limits: needsRoom(entry, instant) ? null : limitsOf(entry.body) });
}
