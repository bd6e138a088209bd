// One list: every page readable and true to its sums, every chunk in the index and not known as bad.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChunkIndex, ChunkLocation } from '../chunk-index/chunk-index.ts';
import { readPage, type Page } from '../format/list-page.ts';
import type { ChunkLoader } from '../read/load-chunk.ts';
import type { ChunkList } from '../repository.ts';
import type { BadChunks } from './bad-chunks.ts';
import { baseFaultOf, loads, tellUnnamed } from './check-bases.ts';
import type { CleanPages, PageSums } from './clean-pages.ts';
import type { Finding, Problems } from './problems.ts';

export interface ListCheck {
  readonly index: ChunkIndex;
  readonly loader: ChunkLoader;
  readonly problems: Problems;
  readonly bad: BadChunks;
  readonly clean: CleanPages;
  readonly signal: AbortSignal | undefined;
  /** Packs that an index object names. */
  readonly namedPacks: ReadonlySet<string>;
  readonly condemned: ReadonlySet<string>;
}

/** Calls `blame` with each finding that the list meets. */
export async function checkList(check: ListCheck, list: ChunkList, blame: (finding: Finding) => void): Promise<void> {
  if (list.root === null) return;
  await checkPage(check, Buffer.from(list.root, 'hex'), list.height, list, blame);
}

/** @returns true when nothing was found at and below this page */
async function checkPage(check: ListCheck, id: Buffer, height: number, said: PageSums, blame: (finding: Finding) => void): Promise<boolean> {
  throwIfAborted(check.signal);
  if (check.clean.has(id, height, said)) return true;
  let sound = await checkChunk(check, id, null, blame);
  const page = await loadPage(check, id, height, blame);
  if (page === null) return false;
  const sums = sumsOf(page);
  if (sums.chunks !== said.chunks || sums.records !== said.records || sums.rawBytes !== said.rawBytes) {
    blame(check.problems.find('REPOSITORY_OBJECT_DAMAGED', `page ${id.toString('hex')}`, `The page ${id.toString('hex')} holds something else than its sums say`));
    sound = false;
  }
  if ('refs' in page) {
    for (const ref of page.refs) sound = (await checkChunk(check, ref.id, ref.rawBytes, blame)) && sound;
  } else {
    for (const child of page.pages) sound = (await checkPage(check, child.id, height - 1, child, blame)) && sound;
  }
  if (sound) check.clean.add(id, height, said);
  return sound;
}

async function loadPage(check: ListCheck, id: Buffer, height: number, blame: (finding: Finding) => void): Promise<Page | null> {
  try {
    return readPage(id, await check.loader.load(id), height);
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    blame(check.problems.find(error.code, objectOf(error.details, id), error.message));
    return null;
  }
}

async function checkChunk(check: ListCheck, id: Buffer, rawBytes: number | null, blame: (finding: Finding) => void): Promise<boolean> {
  const copies = await check.index.find(id);
  if (copies.length === 0) {
    const name = id.toString('hex');
    blame(check.problems.find('REPOSITORY_CHUNK_MISSING', `chunk ${name}`, `The chunk ${name} is in no pack`));
    return false;
  }
  if (!copies.some(({ packId }) => check.namedPacks.has(packId))) tellUnnamed(check.problems);
  const findings: Finding[] = [];
  for (const copy of copies) {
    const finding = faultOf(check, copy, rawBytes) ?? (await baseFaultOf(check, copy));
    if (finding === null) return true;
    findings.push(finding);
  }
  // A prune beside us may have given it another place since the index was read.
  if (copies.some(({ packId }) => check.condemned.has(packId)) && (await loads(check.loader, id))) return true;
  for (const finding of findings) blame(finding);
  return false;
}

function faultOf({ bad, problems }: ListCheck, copy: ChunkLocation, rawBytes: number | null): Finding | null {
  if (rawBytes !== null && copy.rawLength !== rawBytes) {
    const name = copy.id.toString('hex');
    return problems.find('REPOSITORY_CHUNK_DAMAGED', `chunk ${name}`, `The chunk ${name} has ${copy.rawLength} bytes where ${rawBytes} are due`);
  }
  return bad.of(copy);
}

function sumsOf(page: Page): PageSums {
  if ('refs' in page) {
    return page.refs.reduce((sum, ref) => ({ chunks: sum.chunks + 1, records: sum.records + ref.records, rawBytes: sum.rawBytes + ref.rawBytes }), NOTHING);
  }
  return page.pages.reduce(
    (sum, child) => ({ chunks: sum.chunks + child.chunks, records: sum.records + child.records, rawBytes: sum.rawBytes + child.rawBytes }), NOTHING,
  );
}

const NOTHING: PageSums = { chunks: 0, records: 0, rawBytes: 0 };

function objectOf(details: Readonly<Record<string, unknown>>, id: Buffer): string {
  const chunk = `chunk ${id.toString('hex')}`;
  return typeof details['object'] === 'string' ? `${details['object']} ${chunk}` : chunk;
}
