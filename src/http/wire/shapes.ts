// Shapes that the answers of the family share.
import { z } from 'zod';

export const hexId = z.string().regex(/^[0-9a-f]{24}$/);
/** UTC, whole seconds. */
export const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/).meta({ format: 'date-time' });
export const count = z.int().min(0);

export const links = z.array(z.strictObject({ rel: z.string(), href: z.string() }));

/** A position of an oplog. */
export const bsonTime = z.strictObject({ date: time, increment: z.int() });

export const errorShape = z.strictObject({
  detail: z.string().optional(),
  error: z.int(),
  errorCode: z.string(),
  parameters: z.array(z.string()).optional(),
  reason: z.string().optional(),
});
