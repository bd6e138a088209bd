// What a snapshot's entries would be at the border: names, options and indexes as they are there, documents still those
// of the base. A collection that was born in the window has none, one that was dropped has no entry.
import { showClusterTime } from '../../../domain/cluster-time.ts';
import { takes } from '../../../domain/namespace-selection.ts';
import { hashOf, newHashState, orderedHashOf } from '../../bson/index.ts';
import { isCapped, type CatalogCollection } from '../../backup/collections/catalog.ts';
import { chooseCollections, isCapturable, type ChosenCollection } from '../../backup/collections/choose-collections.ts';
import { describeCollection, describeView } from '../../backup/collections/describe-collection.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { CollectionBody, SnapshotBody } from '../../contracts.ts';
import { joinNamespace, showNamespace, timeSeriesOf } from '../../mongo/index.ts';
import type { OperationsTable, ReplayWindow } from '../../replay/index.ts';
import { readCollectionEntry, type CollectionEntry } from '../../snapshot/index.ts';
import { indexesByName } from './base-catalog.ts';
import { viewsAtBorder } from './views-at-border.ts';

export interface BorderEntries {
  readonly entries: readonly CollectionEntry[];
  readonly warnings: readonly string[];
}

/** Collections that a restore builds or moves aside; of a base the capture has left them out. */
const UNDER_CONSTRUCTION = /^(system\.buckets\.)?__lv_[0-9a-f]{12}\./;
/** Made by a server for a while (`$out`, renames across databases, `convertToCapped`), and not in a base that an older version took. */
const FOR_A_WHILE = /^tmp(\.|[A-Za-z0-9]{5}\.)/;

/** @throws REPLAY_COLLECTION_UNLISTED, and what folding views throws */
export function borderEntries(base: readonly CollectionEntry[], captured: SnapshotBody['selection'], window: ReplayWindow, table: OperationsTable): BorderEntries {
  refuseStrangers(window, captured);
  const byUuid = new Map(base.filter(({ body }) => body.kind !== 'view').map((entry) => [entry.body.uuid, entry]));
  const isListed = (uuid: string): boolean => byUuid.get(uuid)?.body.temporary === undefined && byUuid.has(uuid);
  const catalog = new Map(window.collections.map((collection) => [collection.uuid, collection]));
  const chosen = chooseCollections(catalog, { selection: undefined, shadows: new Set() })
    .filter(({ collection, name }) => isListed(collection.uuid) || takes(captured, collection.db, name));
  const [building, kept] = [chosen.filter(isUnderConstruction), chosen.filter((each) => !isUnderConstruction(each))];
  const views = viewsAtBorder(base, window, table).filter(({ db, name }) => takes(captured, db, name) && !UNDER_CONSTRUCTION.test(name));
  return {
    entries: [...kept.map((each) => entryAt(each, byUuid.get(each.collection.uuid) ?? null)), ...views.map((view) => readCollectionEntry({ name: joinNamespace(view.db, view.name), body: { ...describeView(view) }, lists: {} }))],
    warnings: building.length === 0 ? [] : [`${building.length} collections were under construction by a restore at that instant and are left out: ${building.slice(0, 5).map(({ collection }) => showNamespace(joinNamespace(collection.db, collection.name))).join(', ')}`],
  };
}

function isUnderConstruction({ collection }: ChosenCollection): boolean {
  return collection.bornAt !== null && UNDER_CONSTRUCTION.test(collection.name);
}

function entryAt(chosen: ChosenCollection, base: CollectionEntry | null): CollectionEntry {
  const facts = describeCollection(chosen, base === null ? undefined : indexesByName(base.body.indexes));
  const namespace = joinNamespace(facts.db, facts.name);
  if (base !== null) {
    const { temporary: _noMore, ...body } = base.body;
    return { ...base, namespace, body: { ...body, ...facts } };
  }
  return readCollectionEntry({ name: namespace, body: { ...emptyBody(isCapped(chosen.collection)), ...facts }, lists: {} });
}

function emptyBody(capped: boolean): Pick<CollectionBody, 'documents' | 'bytes' | 'hash' | 'capped' | 'orderedHash' | 'cutMask'> {
  const nothing = newHashState();
  return { documents: 0, bytes: 0, hash: hashOf(nothing), capped, orderedHash: capped ? orderedHashOf(nothing) : null, cutMask: 0 };
}

/** What exists at the border, should be in the base and is not: its documents are not known. */
function refuseStrangers({ strangers }: ReplayWindow, captured: SnapshotBody['selection']): void {
  const missing = strangers.find((each) => isCapturable(each) && takes(captured, each.db, timeSeriesOf(each.name) ?? each.name) && !FOR_A_WHILE.test(each.name) && !UNDER_CONSTRUCTION.test(each.name));
  if (missing !== undefined) throw unlisted(missing);
}

function unlisted({ db, name, bornAt }: CatalogCollection): LeafvaultError {
  const namespace = joinNamespace(db, name);
  return new LeafvaultError('REPLAY_COLLECTION_UNLISTED', `Reading the window failed: ${showNamespace(namespace)}, met at ${bornAt === null ? 'its begin' : showClusterTime(bornAt)}, is neither in the base nor made in the window`, {
    details: { namespace, position: bornAt },
    hint: 'It was being filled when the base was taken (by a restore; by $out or convertToCapped where an older version took it): restore an instant before it, or from a later snapshot',
  });
}
