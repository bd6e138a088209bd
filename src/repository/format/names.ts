// Names of the objects in a repository (format document, section 2).
import { isId } from '../../foundation/ids.ts';

export const REPOSITORY_FILE = 'repository.json';
export const FORMAT_VERSION = 1;
/** Of packs and indexes that hold deltas, so that programs which know none pass them by, and rest nothing on them (format document, section 16). */
export const DELTA_FORMAT_VERSION = 2;

export const KEYS = 'keys/';
export const PACKS = 'packs/';
export const INDEXES = 'indexes/';
export const SNAPSHOTS = 'snapshots/';
export const FACTS = 'facts/';
export const SESSIONS = 'sessions/';
export const GENERATIONS = 'generations/';
export const OPLOG = 'oplog/';
export const QUARANTINE = 'quarantine/';
export const CATALOG = 'catalog/';
export const BAD = 'bad/';
/** In a copy only: what went from the source and is kept for a while. */
export const MISSED = 'missed/';
/** Says that a store is a copy: only a copier writes there. */
export const COPY_FILE = 'copy.json';

const PREFIXES = [KEYS, PACKS, INDEXES, SNAPSHOTS, FACTS, SESSIONS, GENERATIONS, OPLOG, QUARANTINE, CATALOG, BAD, MISSED];

/** Whether a repository has objects of this name, or a store that was asked what it can had one: others may keep things beside. */
export function isRepositoryName(name: string): boolean {
  return name === REPOSITORY_FILE || name === COPY_FILE || PREFIXES.some((prefix) => name.startsWith(prefix)) || /^probe-[0-9a-f]{16}$/.test(name);
}

export const keyName = (id: string): string => `${KEYS}${id}`;
export const packName = (id: string): string => `${PACKS}${id.slice(-2)}/${id}`;
export const indexName = (id: string): string => `${INDEXES}${id}`;
/** Of the root that the `place`th writer of this snapshot may put: each fence under such a name sends the next writer one further. */
export const snapshotName = (id: string, place = 1): string => (place === 1 ? `${SNAPSHOTS}${id}` : `${SNAPSHOTS}${id}.${place}`);
export const sessionName = (id: string): string => `${SESSIONS}${id}`;
export const sessionEndName = (id: string): string => `${SESSIONS}${id}.end`;
export const generationName = (generation: number): string => `${GENERATIONS}${String(generation).padStart(10, '0')}`;
export const factName = (snapshotId: string, kind: string, id: string): string => `${FACTS}${snapshotId}/${kind}-${id}`;

export const chainPrefix = (chainId: string): string => `${OPLOG}${chainId}/`;
export const chainHeadName = (chainId: string): string => `${OPLOG}${chainId}/head`;
export const chainEndName = (chainId: string): string => `${OPLOG}${chainId}/end`;
export const chainStartName = (chainId: string, first: number): string => `${OPLOG}${chainId}/from-${String(first).padStart(10, '0')}`;
export const sliceName = (chainId: string, sequence: number): string => `${OPLOG}${chainId}/${String(sequence).padStart(10, '0')}`;

/** Where an object goes that was found damaged, as it was found; with the beginning of its digest where the name is taken by other bytes. */
export const quarantineName = (name: string, digest = ''): string => `${QUARANTINE}${name}${digest === '' ? '' : `.${digest}`}`;

export const dumpPartName = (dumpId: string, part: number): string => `${CATALOG}${dumpId}/${String(part).padStart(10, '0')}`;
export const dumpManifestName = (dumpId: string): string => `${CATALOG}${dumpId}/manifest`;

/** The parts of `catalog/<dump id>/manifest` or `/<10 digits, from 1>`, or null. */
export function partsOfDumpName(name: string): { readonly dumpId: string; readonly part: 'manifest' | number } | null {
  const [, dumpId, part = ''] = /^catalog\/([0-9a-f]{24})\/(manifest|[0-9]{10})$/.exec(name) ?? [];
  if (dumpId === undefined || part === '0000000000') return null;
  return { dumpId, part: part === 'manifest' ? part : Number(part) };
}

/** Of a record of bad copies in this pack. */
export const badName = (packId: string, id: string): string => `${BAD}${packId}-${id}`;

export const missedName = (id: string): string => `${MISSED}${id}`;

/** The parts of `bad/<pack id>-<id>`, or null. */
export function partsOfBadName(name: string): { readonly packId: string; readonly id: string } | null {
  const [, packId, id] = /^bad\/([0-9a-f]{24})-([0-9a-f]{24})$/.exec(name) ?? [];
  return packId === undefined || id === undefined ? null : { packId, id };
}

/** The id at the end of an object's name, or null when the name is none of ours. */
export function idOfName(name: string): string | null {
  const id = name.slice(name.lastIndexOf('/') + 1);
  return isId(id) ? id : null;
}

/** The parts of `snapshots/<id>` (place 1) or `snapshots/<id>.<place>`, or null. */
export function partsOfSnapshotName(name: string): { readonly id: string; readonly place: number } | null {
  const [, id, place = '1'] = /^snapshots\/([0-9a-f]{24})(?:\.([2-9]|[1-9][0-9]{1,3}))?$/.exec(name) ?? [];
  return id === undefined ? null : { id, place: Number(place) };
}

/** The number of a generation, or null. */
export function generationOfName(name: string): number | null {
  const [, digits] = /^generations\/([0-9]{10})$/.exec(name) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** The parts of `facts/<snapshot id>/<kind>-<id>`, or null. */
export function partsOfFactName(name: string): { readonly snapshotId: string; readonly kind: string; readonly id: string } | null {
  const [, snapshotId, kind, id] = /^facts\/([0-9a-f]{24})\/([a-z][a-z0-9]{0,31})-([0-9a-f]{24})$/.exec(name) ?? [];
  return snapshotId === undefined || kind === undefined || id === undefined ? null : { snapshotId, kind, id };
}

export type ChainNameParts = { readonly chainId: string } & ({ readonly part: 'head' | 'end' | number } | { readonly part: 'from'; readonly first: number });

/** The parts of `oplog/<chain id>/head`, `/end`, `/<10 digits, from 1>` or `/from-<10 digits, from 2>`, or null. */
export function partsOfChainName(name: string): ChainNameParts | null {
  const [, chainId, part = '', digits] = /^oplog\/([0-9a-f]{24})\/(head|end|(?:from-)?([0-9]{10}))$/.exec(name) ?? [];
  if (chainId === undefined) return null;
  if (part === 'head' || part === 'end') return { chainId, part };
  const number = Number(digits);
  if (!part.startsWith('from-')) return number === 0 ? null : { chainId, part: number };
  return number < 2 ? null : { chainId, part: 'from', first: number };
}
