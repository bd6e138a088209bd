// The settings of one process, checked, complete and frozen.
import type { DrillDefaults } from '../domain/drill.ts';
import type { CatchUp } from '../domain/plan-run.ts';
import type { TimeSeriesChoice } from '../domain/records.ts';
import type { Declared } from './declared.ts';
import type { ExportTarget } from './export-targets.ts';

export interface CopySettings {
  /** What went from the repository stays in its copies for so long. */
  readonly keepDays: number;
  /** null: no limit. */
  readonly bytesPerSecond: number | null;
}

export interface Config {
  /** Absolute. */
  readonly home: string;
  readonly listen: { readonly host: string; readonly port: number; readonly publicUrl: string | null; readonly trustProxy: readonly string[] };
  /** null: the embedded server in the home folder. Secret. */
  readonly databaseUrl: string | null;
  /** `file:` and an absolute path, or `s3:` with everything that the settings say of the store. */
  readonly repositoryStore: string;
  /** Likewise: second copies. */
  readonly repositoryCopies: readonly string[];
  /** Whether snapshots store what changed little as deltas. */
  readonly repositoryDeltas: boolean;
  readonly copies: CopySettings;
  /** Absolute. */
  readonly masterKeyFile: string;
  /** Secret. */
  readonly sourceUri: string | null;
  readonly restore: { readonly timeSeries: TimeSeriesChoice; readonly keepHours: number };
  readonly beforeMigration: 'dump' | 'nothing';
  readonly schedules: { readonly catchUp: CatchUp };
  readonly check: { readonly everyHours: number; readonly parts: number };
  readonly drills: DrillDefaults;
  readonly jobsAtOnce: number;
  readonly logLevel: string;
  readonly organizations: Declared;
  /** Places that buckets of exports may name. */
  readonly exportTargets: readonly ExportTarget[];
  /** The settings file that was read, for messages. */
  readonly file: string | null;
  /** What is odd but not wrong, in words. */
  readonly warnings: readonly string[];
}

/** Freezes the whole tree. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFreeze(each);
  }
  return value;
}
