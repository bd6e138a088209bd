// Bodies that Ops Manager alone has.
import { z } from 'zod';

const ignored = z.unknown().optional();
const namespaces = z.array(z.string().min(1)).max(1_000);

/** Everything may be left out: what is absent stays. What a server computes is accepted and ignored. */
export const changeBackupConfigBody = z.strictObject({
  statusName: z.enum(['INACTIVE', 'PROVISIONING', 'STARTED', 'STOPPED', 'TERMINATING']).optional(),
  includedNamespaces: namespaces.optional(),
  excludedNamespaces: namespaces.optional(),
  groupId: z.string().optional(),
  clusterId: z.string().optional(),
  authMechanismName: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  sslEnabled: z.boolean().optional(),
  encryptionEnabled: z.boolean().optional(),
  storageEngineName: z.enum(['MEMORY_MAPPED', 'WIRED_TIGER']).optional(),
  syncSource: z.string().optional(),
  preferredMember: z.string().optional(),
  provisioned: ignored,
  snapshotStore: ignored,
  links: ignored,
});
