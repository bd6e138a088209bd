// What was found by browsing, in Commvault's form: one answer for each query.
import type { Snapshot } from '../../../../domain/records.ts';
import type { Item } from './items.ts';
import type { Aggregate, Browse, Question } from './read-browse.ts';

export interface Found { readonly item: Item; readonly snapshot: Snapshot; readonly jobNumber: number }

export function presentBrowse(found: readonly Found[], { kind, questions }: Browse): object {
  // The oldest snapshot that has the path holds its first version.
  const versionOf = kind === 'versions' ? new Map(found.toReversed().map((each, index) => [each, index + 1])) : null;
  return { browseResponses: questions.map((question) => ({ respType: 0, browseResult: { queryId: question.id, ...resultOf(found, question, versionOf) } })) };
}

/** As the SDK reads it: no result, the first message. */
export function presentBrowseFailure({ errorCode, errorMessage }: { readonly errorCode: number; readonly errorMessage: string }): object {
  return { browseResponses: [{ respType: 3, messages: [{ errorCode, errorMessage }] }] };
}

function resultOf(found: readonly Found[], question: Question, versionOf: ReadonlyMap<Found, number> | null): object {
  const fitting = found.filter(({ item }) => question.fits(item));
  if (question.kind === 'number') return { aggrResultSet: [numberOf(fitting.map(({ item }) => item.bytes), question.of)] };
  const { bySize, ascending, skip, limit } = question;
  const ordered = bySize ? fitting.toSorted((a, b) => a.item.bytes - b.item.bytes) : [...fitting];
  const shown = (ascending ? ordered : ordered.reverse()).slice(skip, skip + limit);
  return { totalItems: fitting.length, itemCount: shown.length, dataResultSet: shown.map((each) => presentItem(each, versionOf?.get(each))) };
}

function numberOf(sizes: readonly number[], of: Aggregate): object {
  const sum = sizes.reduce((all, size) => all + size, 0);
  const results: Readonly<Record<Aggregate, () => number>> = {
    count: () => sizes.length,
    sum: () => sum,
    avg: () => (sizes.length === 0 ? 0 : Math.floor(sum / sizes.length)),
    min: () => sizes.reduce((least, size) => Math.min(least, size), sizes[0] ?? 0),
    max: () => sizes.reduce((most, size) => Math.max(most, size), 0),
  };
  return { result: results[of](), count: sizes.length };
}

function presentItem({ item, snapshot, jobNumber }: Found, version: number | undefined): object {
  const at = Math.floor((snapshot.capturedAt ?? snapshot.requestedAt).getTime() / 1000);
  const isCollection = item.collection !== null;
  return {
    displayName: item.name,
    name: item.name,
    path: item.path,
    size: item.bytes,
    modificationTime: at,
    ...(version === undefined ? {} : { version }),
    flags: { file: isCollection, folder: !isCollection },
    // `snapShotName` is what a restore takes as `restoreSnapshotId`.
    advancedData: { backupTime: at, backupJobId: jobNumber, snapShotName: snapshot.id, objectCount: item.documents, childCount: item.children },
  };
}
