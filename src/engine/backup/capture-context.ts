// What the steps of one attempt share.
import type { Clock } from '../../foundation/clock.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { RepositoryWriter } from '../../repository/repository.ts';
import type { CaptureRest } from '../contracts.ts';
import type { Kernel } from '../bson/index.ts';
import type { TakeBytes } from './scan/limit-rate.ts';
import type { Source } from './source.ts';
import type { ProgressWatch } from './watch-progress.ts';

export interface CaptureContext {
  readonly source: Source;
  readonly writer: RepositoryWriter;
  readonly hashSeed: Buffer;
  /** Shared by all streams: calls are synchronous. */
  readonly kernel: Kernel;
  /** A private folder of this attempt. */
  readonly folder: string;
  /** Cancel and stall together. */
  readonly signal: AbortSignal;
  readonly watch: ProgressWatch;
  readonly takeBytes: TakeBytes;
  /** What one reply of a scan may hold, about. */
  readonly batchBytes: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly deltas: boolean;
  readonly collectionsAtOnce: number;
  readonly onPhase: (phase: string) => Promise<void>;
  /** For how long what was scanned may be stored now that the signal has fired; null: it is not to be kept. */
  readonly restWithinMs: () => number | null;
  readonly onRest: (rest: CaptureRest) => Promise<void>;
  readonly onAnew: (reason: string) => Promise<void>;
}
