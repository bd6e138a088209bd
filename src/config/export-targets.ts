// Places that a bucket of exports may name by its `iamRoleId`: folders, and S3 servers with their keys. Not for the API to say.
import { z } from 'zod';
import { secretOf } from './declared.ts';
import type { SecretReader } from './secrets.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/, { error: 'expected 24 lower-case hex digits' });
const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'expected 1 to 64 letters, digits, hyphens or underscores; 24 hex digits for clients that insist on them' });

export type ExportTarget = z.output<ReturnType<typeof exportTargetsSchema>>[number];

/** @param readSecret resolves `{ env }` and `{ file }` */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the inferred schema is the type
export function exportTargetsSchema(readSecret: SecretReader) {
  /** Absent: for every project. */
  const shared = { name, projects: z.array(id).min(1).optional() };
  const folder = z.strictObject({ ...shared, folder: z.string().min(1) });
  const s3 = z.strictObject({
    ...shared,
    endpoint: z.url({ protocol: /^https?$/, error: 'expected an http or https origin' }).optional(),
    region: z.string().min(1).max(64).optional(),
    accessKeyId: secretOf(z.string().min(1), readSecret).optional(),
    secretAccessKey: secretOf(z.string().min(1), readSecret).optional(),
    pathStyle: z.boolean({ error: 'expected true or false' }).default(true),
  }).refine(({ accessKeyId, secretAccessKey }) => (accessKeyId === undefined) === (secretAccessKey === undefined), { error: 'accessKeyId and secretAccessKey belong together' });
  return z.array(z.union([folder, s3], { error: 'expected name and folder, or name with endpoint, region, accessKeyId, secretAccessKey' })).superRefine((targets, context) => {
    for (const [at, target] of targets.entries()) {
      if (targets.findIndex((each) => each.name === target.name) !== at) context.addIssue({ code: 'custom', message: `the target ${target.name} is declared twice`, path: [at, 'name'] });
    }
  });
}
