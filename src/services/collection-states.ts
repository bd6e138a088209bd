// What became of each collection of a restore: by its plan, which is the truth of what was done (docs/design/collection-restores.md, "States").
import type { ChosenNamespace, IndexStrategy } from '../catalog/index.ts';
import type { CollectionRestoreRequest, NamespaceChoice } from '../domain/collection-restore.ts';
import type { Job } from '../domain/records.ts';
import type { RestoredCollection, RestoreOutcome } from './contracts.ts';

export interface JobFacts {
  readonly request: CollectionRestoreRequest;
  /** As the journal has it; null: nothing was begun. */
  readonly plan: Readonly<Record<string, unknown>> | null;
  readonly job: Pick<Job, 'state' | 'phase'>;
  /** What the engine reported at its end; null: it did not end well. */
  readonly outcome?: Pick<RestoreOutcome, 'collections'> | null;
  readonly indexStrategy: IndexStrategy;
  /** Of its snapshot, as far as it was asked for; null where nobody can tell any more. */
  readonly contents: readonly ChosenNamespace[] | null;
}

/** The part of a step of a plan that counts here. */
interface Step {
  readonly from: string;
  readonly db: string;
  readonly name: string;
  readonly shadowUuid?: string | null;
  readonly proven?: { readonly documents: number } | null;
  readonly failedIndexes?: readonly { readonly name: string; readonly reason: string }[];
}

type Place = Pick<RestoredCollection, 'source' | 'target' | 'effectiveTarget'>;

/** In the order of their names. */
export function collectionsOfJob(facts: JobFacts): readonly RestoredCollection[] {
  const { contents } = facts;
  const steps = new Map(stepsOf(facts).map((step) => [step.from, step]));
  const totals = new Map((contents ?? []).map(({ db, name, documents }) => [`${db}.${name}`, documents]));
  const places = new Map(placesOf(facts).map((place) => [place.source, place]));
  for (const { from, db, name } of steps.values()) if (!places.has(from)) places.set(from, placeOf(facts.request, from, { effectiveTarget: `${db}.${name}` }));
  return [...places.values()].sort((a, b) => (a.source < b.source ? -1 : 1)).map((place) => {
    const step = steps.get(place.source);
    const isThere = totals.has(place.source) || step !== undefined || contents === null;
    const state = isThere ? stateOf(facts, step) : 'NOT_FOUND';
    const documents = step?.proven?.documents;
    return {
      ...place, ...(step === undefined ? {} : { effectiveTarget: `${step.db}.${step.name}` }), state, index: indexOf(facts, step, state),
      totalDocuments: documents ?? totals.get(place.source) ?? 0, restoredDocuments: documents ?? (state === 'SUCCESSFUL' ? totals.get(place.source) ?? 0 : 0),
    };
  });
}

/** By the plan; what was reported at the end outlives it. */
function stepsOf({ plan, outcome }: JobFacts): Step[] {
  const ended = (outcome?.collections ?? []).map(({ from, to, documents, failedIndexes }): Step => {
    const [db, name] = split(to);
    return { from, db, name, proven: { documents }, failedIndexes };
  });
  // An undo is another plan in the same place: its steps are not those of the restore.
  const lists = isOfUndo(plan) ? [] : [plan?.['swaps'], plan?.['timeSeries'], plan?.['views']];
  const planned = lists.flatMap((list) => (Array.isArray(list) ? (list as Step[]) : [])).filter(({ from }) => typeof from === 'string');
  return [...planned, ...ended];
}

function isOfUndo(plan: JobFacts['plan']): boolean {
  return plan?.['kind'] === 'undo';
}

/** What was asked for, databases spelt out. */
function placesOf({ request, contents }: JobFacts): Place[] {
  const named = request.collections.map(({ source }) => placeOf(request, source, {}));
  const inDatabases = request.databases.flatMap(({ source }) => {
    const found = (contents ?? []).filter(({ db }) => db === source).map(({ db, name }) => placeOf(request, `${db}.${name}`, {}));
    // Told by its name where it is not there.
    return found.length > 0 || contents === null ? found : [{ source, target: source, effectiveTarget: source }];
  });
  return [...new Map([...inDatabases, ...named].map((place) => [place.source, place])).values()];
}

function placeOf({ databases, collections, databaseSuffix, collectionSuffix }: CollectionRestoreRequest, source: string, known: { readonly effectiveTarget?: string }): Place {
  const [db, name] = split(source);
  const targetOf = (choices: readonly NamespaceChoice[], of: string): string | undefined => choices.find((each) => each.source === of)?.target;
  const [toDb, toName] = split(targetOf(collections, source) ?? `${targetOf(databases, db) ?? db}.${name}`);
  return { source, target: `${toDb}.${toName}`, effectiveTarget: known.effectiveTarget ?? `${toDb}${databaseSuffix ?? ''}.${toName}${collectionSuffix ?? ''}` };
}

function split(namespace: string): [string, string] {
  const dot = namespace.indexOf('.');
  return [namespace.slice(0, dot), namespace.slice(dot + 1)];
}

function stateOf({ plan, job }: JobFacts, step: Step | undefined): RestoredCollection['state'] {
  const failed = (step?.failedIndexes?.length ?? 0) > 0;
  const done = failed ? 'INDEX_BUILD_FAILED' : 'SUCCESSFUL';
  const at = plan?.['state'];
  // Only what was done can be undone.
  if (job.state === 'completed' || isOfUndo(plan) || at === 'finished') return done;
  if (job.state === 'failed' || job.state === 'cancelled') {
    if (plan === null || step === undefined) return 'NOT_RESTORED';
    if (at !== 'undone') return 'ROLLBACK';
    return step.shadowUuid == null ? 'NOT_RESTORED' : 'FAILED';
  }
  if (step === undefined || at === 'undone') return 'NOT_STARTED';
  if (at !== 'preparing') return 'FINALIZING';
  return step.shadowUuid == null ? 'NOT_STARTED' : 'IN_PROGRESS';
}

const BEHIND_LOAD = ['indexes', 'prove', 'swap', 'finish'];

function indexOf({ job, indexStrategy }: JobFacts, step: Step | undefined, state: RestoredCollection['state']): RestoredCollection['index'] {
  const failed = step?.failedIndexes ?? [];
  const because = failed.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const all = { failed, errorMessage: because === '' ? null : because };
  if (failed.length > 0) return { ...all, state: 'FAILED' };
  switch (state) {
    case 'SUCCESSFUL': case 'FINALIZING': case 'INDEX_BUILD_FAILED': return { ...all, state: 'SUCCESSFUL' };
    case 'NOT_STARTED': return { ...all, state: 'NOT_STARTED' };
    case 'IN_PROGRESS': return { ...all, state: indexStrategy !== 'NONE' && BEHIND_LOAD.includes(job.phase ?? '') ? 'IN_PROGRESS' : 'NOT_STARTED' };
    case 'NOT_FOUND': case 'NOT_RESTORED': case 'ROLLBACK': case 'FAILED': return { ...all, state: 'NOT_RESTORED' };
  }
}
