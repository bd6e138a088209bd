// What is inside of a snapshot, in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import * as handlers from './handlers.ts';

const name = z.strictObject({ name: z.string() });
const database = { name: 'SnapshotDatabase', schema: name };
const collection = { name: 'SnapshotCollection', schema: name };

export const SNAPSHOT_CONTENTS: DescribedResource = {
  tag: 'Contents of snapshots',
  operations: [
    [handlers.listDatabases, { summary: 'Lists the databases in a snapshot', answer: { kind: 'page', of: database } }],
    [handlers.getDatabase, { summary: 'Tells that a database is in a snapshot', answer: { kind: 'one', of: database } }],
    [handlers.listCollections, { summary: 'Lists the collections of a database in a snapshot', answer: { kind: 'page', of: collection } }],
    [handlers.getCollection, { summary: 'Tells that a collection is in a snapshot', answer: { kind: 'one', of: collection } }],
  ],
};
