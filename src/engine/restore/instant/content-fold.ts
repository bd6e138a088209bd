// What a collection must hold at the border, by our own fold, while its base documents pass by on their way to the
// shadow. The server's `applyOps` has to come to the same (docs/design/continuous-backup.md, "The independent fold").
import type { Kernel } from '../../bson/index.ts';
import type { CollectionNumber, OnSkipped, OperationsTable } from '../../replay/index.ts';
import type { Expected, SettledBatch } from '../../snapshot/index.ts';
import type { HashState } from '../../bson/index.ts';

export interface ContentFold {
  /** The next base documents, in order. */
  take(batch: SettledBatch): void;
  /** Once all were given. @param base what they add up to */
  finish(base: HashState): Promise<Expected>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

export interface FoldOptions {
  readonly table: OperationsTable;
  readonly number: CollectionNumber;
  /** In messages. */
  readonly namespace: string;
  /** The collection holds the buckets of a time series. */
  readonly buckets: boolean;
  /** Told of what depends on something left out and does not fit. */
  readonly onSkipped: OnSkipped;
  readonly kernel: Kernel;
  readonly signal: AbortSignal;
}
