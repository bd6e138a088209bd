// Body of a collection restore job. Read-only members are accepted and ignored: clients send back what they read.
import { z } from 'zod';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const seconds = z.int().min(1).max(4_294_967_295);
const ignored = z.unknown().optional();
const namespaces = z.array(z.strictObject({ sourceNamespace: z.string().min(1).max(255), targetNamespace: z.string().min(1).max(255).optional() })).max(100).optional();

export const createCollectionRestoreBody = z.strictObject({
  writeStrategy: z.enum(['CREATE_NEW', 'OVERWRITE_EXISTING']),
  indexStrategy: z.enum(['ALL', 'NONE', 'ALL_EXCEPT_TTL']),
  targetClusterName: z.string().min(1),
  targetGroupId: hexId,
  databases: namespaces,
  collections: namespaces,
  databaseSuffix: z.string().max(63).optional(),
  collectionSuffix: z.string().max(255).optional(),
  snapshotId: hexId.optional(),
  oplogTs: seconds.optional(),
  oplogInc: z.int().min(1).optional(),
  pointInTimeUtcSeconds: seconds.optional(),
  createdAt: ignored,
  errorMessage: ignored,
  finishedAt: ignored,
  id: ignored,
  indexStatus: ignored,
  links: ignored,
  restoredDocuments: ignored,
  state: ignored,
  totalDocuments: ignored,
});
