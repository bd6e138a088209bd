// Bodies of the snapshot operations. Read-only members of the resource are accepted and ignored: clients send back what they read.
import { z } from 'zod';

/** A century: what lies beyond is a mistake, and dates stay dates. */
export const MOST_RETENTION_DAYS = 36_500;
const ignored = z.unknown().optional();

export const takeSnapshotBody = z.strictObject({
  description: z.string().max(1000).optional(),
  retentionInDays: z.int().min(1).max(MOST_RETENTION_DAYS).optional(),
  links: ignored,
});

export const updateSnapshotBody = z.strictObject({
  retentionUnit: z.enum(['DAYS', 'WEEKS', 'MONTHS', 'YEARS']),
  retentionValue: z.int().min(1).max(MOST_RETENTION_DAYS),
  links: ignored,
});
