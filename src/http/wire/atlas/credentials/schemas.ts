// Bodies of operations on API keys, service accounts and their access lists.
import { z } from 'zod';

const ignored = z.unknown().optional();
const description = z.string().min(1).max(250);
const name = z.string().min(1).max(64);
const roles = z.array(z.string().min(1)).min(1).max(100);

export const createApiKeyBody = z.strictObject({ desc: description, roles });
export const updateApiKeyBody = z.strictObject({ desc: description.optional(), roles: roles.optional(), id: ignored, links: ignored, publicKey: ignored, privateKey: ignored });
/** One of a list: the vendor names whose roles they are, which stands in the path. */
export const assignmentItem = z.strictObject({ roles, userId: ignored });

export const createServiceAccountBody = z.strictObject({ name, description, roles, secretExpiresAfterHours: z.int() });
export const updateServiceAccountBody = z.strictObject({ name: name.optional(), description: description.optional(), roles: roles.optional(), clientId: ignored, createdAt: ignored, secrets: ignored });
export const inviteBody = z.strictObject({ roles });
export const secretBody = z.strictObject({ secretExpiresAfterHours: z.int() });

/** Exactly one of both is looked for behind the schema. */
export const accessListItem = z.strictObject({
  ipAddress: z.string().min(1).optional(), cidrBlock: z.string().min(1).optional(),
  created: ignored, createdAt: ignored, count: ignored, requestCount: ignored, lastUsed: ignored, lastUsedAt: ignored, lastUsedAddress: ignored, links: ignored,
});
