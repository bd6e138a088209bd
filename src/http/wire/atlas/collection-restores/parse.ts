// Collection restore jobs from Atlas's words to ours.
import type { z } from 'zod';
import type { NamespaceChoice } from '../../../../domain/collection-restore.ts';
import type { Instant } from '../../../../domain/instant.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import { COLLECTION_STATES, type CollectionRestores } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { parameter } from '../../read-query.ts';
import { createCollectionRestoreBody } from './schemas.ts';

type Body = z.infer<typeof createCollectionRestoreBody>;
type Order = Omit<Parameters<CollectionRestores['create']>[0], 'cluster' | 'principal'>;

/** @throws POINT_IN_TIME_FORM beside the faults of the body */
export function parseCreateCollectionRestore(body: unknown): Order {
  const given = readBody(createCollectionRestoreBody, body);
  const { databases = [], collections = [] } = given;
  if (databases.length + collections.length === 0) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: attribute collections is required where no databases are named', { details: { name: 'collections' } });
  return {
    ...beginningOf(given),
    target: { projectId: given.targetGroupId, cluster: { name: given.targetClusterName } },
    indexStrategy: given.indexStrategy,
    request: {
      writeStrategy: given.writeStrategy, databases: choicesOf(databases), collections: choicesOf(collections),
      databaseSuffix: suffixOf(given.databaseSuffix), collectionSuffix: suffixOf(given.collectionSuffix),
    },
  };
}

export function parseFilter(query: unknown): Parameters<CollectionRestores['collections']>[0]['filter'] {
  const state = parameter(query, 'state');
  if (state !== undefined && !(COLLECTION_STATES as readonly string[]).includes(state)) throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: state is none of ${COLLECTION_STATES.join(', ')}`, { details: { name: 'state', value: state } });
  return { state, source: parameter(query, 'sourceNamespace'), target: parameter(query, 'targetNamespace') };
}

function choicesOf(given: NonNullable<Body['databases']>): readonly NamespaceChoice[] {
  return given.map(({ sourceNamespace: source, targetNamespace: target }) => ({ source, ...(target === undefined ? {} : { target }) }));
}

function suffixOf(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** Exactly one of a snapshot, a second and a position. */
function beginningOf({ snapshotId, oplogTs, oplogInc, pointInTimeUtcSeconds: second }: Body): { readonly snapshotId: string } | { readonly instant: Instant } {
  const isPosition = oplogTs !== undefined && oplogInc !== undefined;
  const given = [snapshotId !== undefined, oplogTs !== undefined || oplogInc !== undefined, second !== undefined].filter(Boolean).length;
  if (given === 1 && snapshotId !== undefined) return { snapshotId };
  if (given === 1 && isPosition) return { instant: { border: { t: oplogTs, i: oplogInc } } };
  if (given === 1 && second !== undefined) return { instant: { time: new Date(second * 1000) } };
  if (given === 0) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: attribute snapshotId, or a point in time, is required', { details: { name: 'snapshotId' } });
  throw new LeafvaultError('POINT_IN_TIME_FORM', 'Reading the body failed: it names snapshotId, or oplogTs with oplogInc, or pointInTimeUtcSeconds');
}
