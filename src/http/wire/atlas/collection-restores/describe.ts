// Collection restore jobs in the document of the API.
import { z } from 'zod';
import { COLLECTION_STATES } from '../../../../services/contracts.ts';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { createCollectionRestoreBody } from './schemas.ts';

const indexState = z.enum(['NOT_STARTED', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'NOT_RESTORED']);
const namespaces = z.array(z.strictObject({ sourceNamespace: z.string(), targetNamespace: z.string().optional() }));
const job = {
  name: 'CollectionRestoreJob',
  schema: z.strictObject({
    collectionSuffix: z.string().optional(), collections: namespaces, createdAt: time, databaseSuffix: z.string().optional(), databases: namespaces, errorMessage: z.string().optional(), finishedAt: time.optional(),
    id: hexId, indexStatus: z.strictObject({ failedCollectionCount: count, state: indexState }), indexStrategy: z.enum(['ALL', 'NONE', 'ALL_EXCEPT_TTL']), links, oplogInc: z.int().optional(), oplogTs: z.int().optional(),
    pointInTimeUtcSeconds: z.int().optional(), restoredDocuments: count, snapshotId: hexId.optional(), state: z.enum(['INITIALIZING', 'IN_PROGRESS', 'FINALIZING', 'SUCCESSFUL', 'FAILED', 'CANCELED']),
    targetClusterName: z.string().optional(), targetGroupId: hexId.optional(), totalDocuments: count, writeStrategy: z.enum(['CREATE_NEW', 'OVERWRITE_EXISTING']),
  }),
};
const collection = {
  name: 'RestoredCollection',
  schema: z.strictObject({
    effectiveTargetNamespace: z.string(),
    indexStatus: z.strictObject({ errorMessage: z.string().optional(), failedIndexes: z.array(z.strictObject({ name: z.string(), reason: z.string() })), state: indexState }),
    restoredDocuments: count, sourceNamespace: z.string(), state: z.enum(COLLECTION_STATES), targetNamespace: z.string(), totalDocuments: count,
  }),
};

export const COLLECTION_RESTORE_OPERATIONS: DescribedResource = {
  tag: 'Collection restore jobs',
  operations: [
    [handlers.createCollectionRestore, { summary: 'Restores chosen collections', status: 201, body: { name: 'CreateCollectionRestore', schema: createCollectionRestoreBody }, answer: { kind: 'one', of: job } }],
    [handlers.listCollectionRestores, { summary: 'Lists collection restore jobs, newest first', answer: { kind: 'page', of: job } }],
    [handlers.getCollectionRestore, { summary: 'Reads a collection restore job', answer: { kind: 'one', of: job } }],
    [handlers.listRestoredCollections, {
      summary: 'Lists what becomes of each collection', query: { state: z.enum(COLLECTION_STATES), sourceNamespace: z.string(), targetNamespace: z.string() }, answer: { kind: 'page', of: collection },
    }],
    [handlers.getRestoredCollection, { summary: 'Tells what becomes of a collection', answer: { kind: 'one', of: collection } }],
  ],
};
