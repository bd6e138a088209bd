// Bodies of operations on groups. Read-only members are accepted and ignored: clients send back what they read.
import { z } from 'zod';

const ignored = z.unknown().optional();
const groupName = z.string().regex(/^[\p{L}\p{N}\-_.(),:&@+']{1,64}$/u);
const hexId = z.string().regex(/^[0-9a-f]{24}$/);

/** Of groups and clusters. */
export const tag = z.strictObject({ key: z.string().min(1).max(255), value: z.string().min(1).max(255) });

const shared = { tags: z.array(tag).max(50).optional(), withDefaultAlertsSettings: z.boolean().optional(), clusterCount: ignored, created: ignored, id: ignored, links: ignored };

export const createGroupBody = z.strictObject({ ...shared, name: groupName, orgId: hexId, regionUsageRestrictions: ignored });
export const updateGroupBody = z.strictObject({ ...shared, name: groupName.optional(), orgId: ignored });
