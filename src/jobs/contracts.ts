// Job kinds and what each needs to know. Everything else a job reads from the rows it belongs to.
import { z } from 'zod';
import { DEPENDENTS_CHOICES, LEFT_OUT_KINDS, MOST_CHOICES, type LeaveOut } from '../domain/leave-out.ts';
import { TIME_SERIES_CHOICES, type JobKind } from '../domain/records.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/);

const clusterTime = z.strictObject({ t: z.int().min(0), i: z.int().min(0) });
const leaveOut = z.union([
  z.strictObject({ at: clusterTime, operation: z.int().min(0).optional() }),
  z.strictObject({ session: z.string().regex(/^[0-9a-f]{32}$/), from: clusterTime.optional(), to: clusterTime.optional() }),
  z.strictObject({ namespace: z.string().min(1), kind: z.enum(LEFT_OUT_KINDS), from: clusterTime, to: clusterTime }),
]) satisfies z.ZodType<LeaveOut>;

/** Payloads by kind, as they stand in the job's row. */
export const JOB_PAYLOADS = {
  snapshot: z.strictObject({ snapshotId: id }),
  restore: z.strictObject({
    restoreId: id,
    timeSeries: z.enum(TIME_SERIES_CHOICES).default('refuse'),
    /** `refuse`: a collection that is there is not replaced. */
    existing: z.enum(['replace', 'refuse']).default('replace'),
    /** How long the old collections are kept for an undo; 0: they go once the swap is done. */
    keepHours: z.number().min(0).default(0),
    /** Of a restore to an instant. */
    leaveOut: z.strictObject({ what: z.array(leaveOut).min(1).max(MOST_CHOICES).readonly(), dependents: z.enum(DEPENDENTS_CHOICES) }).optional(),
  }),
  /** `undone`: the side that is to be live; absent: the other than before. */
  undo: z.strictObject({ restoreId: id, keepHours: z.number().min(0), undone: z.boolean().optional() }),
  dropKept: z.strictObject({ restoreId: id }),
  prepareDownload: z.strictObject({ restoreId: id }),
  /** `target`: the name that was declared, where no cluster has it. */
  drill: z.strictObject({ drillId: id, target: z.string().nullable().default(null) }),
  export: z.strictObject({ exportId: id }),
  /** One snapshot, or the whole repository of the project when `snapshotId` is null. */
  verify: z.strictObject({ snapshotId: id.nullable(), readData: z.boolean() }),
} as const satisfies Record<JobKind, z.ZodType>;

/** As a caller writes it. */
export type JobPayloadInput<K extends JobKind> = z.input<(typeof JOB_PAYLOADS)[K]>;
/** As a handler reads it. */
export type JobPayload<K extends JobKind> = z.output<(typeof JOB_PAYLOADS)[K]>;

export const JOB_KINDS = Object.keys(JOB_PAYLOADS) as readonly JobKind[];
