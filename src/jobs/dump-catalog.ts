// The catalog dumps itself into the repository (docs/design/rescue.md): daily, before migrations, on demand; old dumps go.
import type { Catalog, CatalogDumps, TableDump } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Dump, Repository, TrimmedDumps } from '../repository/repository.ts';
import type { Chore } from './worker.ts';

export type DumpReason = 'daily' | 'migration' | 'asked';

/** Body of a dump's manifest. */
export interface DumpBody {
  readonly dumpVersion: 1;
  readonly reason: DumpReason;
  /** Names of the migrations that its tables have. */
  readonly migrations: readonly string[];
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** The instant that it stands for; ISO 8601. */
  readonly takenAt: string;
  /** Secrets that could not be opened, and went as they are. */
  readonly broken: number;
}

export interface DumpParts {
  readonly dumps: CatalogDumps;
  readonly repository: Pick<Repository, 'id' | 'dumps'>;
}

const PART_BYTES = 1024 * 1024;
const DAILY_KEPT = 7;
const EVERY_MS = 24 * 3_600_000;

/**
 * @param options.wait until a dump of another process is through; else null is the answer
 * @param options.isDue asked when nobody else is at it, for those who were second; false: null is the answer
 * @throws what catalog and store fail with
 */
export async function dumpCatalog(
  { dumps, repository }: DumpParts,
  options: { readonly reason: DumpReason; readonly wait: boolean; readonly isDue?: () => Promise<boolean>; readonly onDumped?: () => Promise<void>; readonly signal?: AbortSignal },
): Promise<Dump | null> {
  const { reason, wait, isDue, onDumped, signal } = options;
  return dumps.take({ wait, everything: reason === 'migration' }, async (tables) => {
    if (isDue !== undefined && !(await isDue())) return null;
    const dump = await repository.dumps.write(partsOf(tables), () => ({ ...bodyOf(tables, reason) }), signal === undefined ? {} : { signal });
    // Before the next one may begin.
    await onDumped?.();
    return dump;
  });
}

function bodyOf({ takenAt, migrations, counts }: TableDump, reason: DumpReason): DumpBody {
  return { dumpVersion: 1, reason, migrations, tables: counts.tables, takenAt: takenAt.toISOString(), broken: counts.broken };
}

/** Each is good until the next one is asked for: all lie in the same memory. A fresh buffer for each would pile up until the collector comes. */
async function* partsOf({ lines }: TableDump): AsyncGenerator<Buffer> {
  let room = Buffer.allocUnsafe(2 * PART_BYTES);
  let size = 0;
  for await (const line of lines()) {
    const length = Buffer.byteLength(line);
    if (size + length + 1 > room.length) room = Buffer.concat([room.subarray(0, size)], 2 * (size + length + 1));
    room.write(line, size);
    room[size + length] = 10;
    size += length + 1;
    if (size < PART_BYTES) continue;
    yield room.subarray(0, size);
    size = 0;
  }
  if (size > 0) yield room.subarray(0, size);
}

/** The lines of a dump; each part holds whole ones. */
export async function* linesOf(parts: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      const end = part.indexOf(10, at);
      yield part.toString('utf8', at, end === -1 ? part.length : end);
      at = end === -1 ? part.length : end + 1;
    }
  }
}

/** What a manifest says; null for one that another program wrote in another way. */
export function dumpBodyOf({ body }: Pick<Dump, 'body'>): DumpBody | null {
  const { dumpVersion, reason, migrations, tables, takenAt } = body as unknown as Partial<DumpBody>;
  return dumpVersion === 1 && typeof reason === 'string' && Array.isArray(migrations) && typeof tables === 'object' && typeof takenAt === 'string' ? (body as unknown as DumpBody) : null;
}

/** Keeps the newest seven, and the newest of each state of the tables that was left by a migration. What this version can't read stays. */
export async function trimCatalogDumps(repository: Pick<Repository, 'dumps'>, options: { readonly signal?: AbortSignal } = {}): Promise<TrimmedDumps> {
  const listed = await repository.dumps.list({ onUnreadable: () => undefined });
  const kept = new Set(listed.filter(isDaily).slice(0, DAILY_KEPT).map(({ id }) => id));
  const left = new Set<string>();
  for (const dump of listed) {
    const body = dumpBodyOf(dump);
    const state = body?.migrations.join(' ') ?? dump.id;
    if (body !== null && (body.reason !== 'migration' || left.has(state))) continue;
    left.add(state);
    kept.add(dump.id);
  }
  // One that came since the listing is newer than all of them.
  const known = new Set(listed.map(({ id }) => id));
  return repository.dumps.trim(({ id }) => kept.has(id) || !known.has(id), options);
}

function isDaily(dump: Dump): boolean {
  const body = dumpBodyOf(dump);
  return body !== null && body.reason !== 'migration';
}

export interface DumpChoreParts {
  readonly catalog: Pick<Catalog, 'dumps' | 'settings'>;
  /** All that this installation writes to. */
  readonly repositories: () => Promise<readonly Repository[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** In every worker; one of them does it. */
export function createDumpChore(parts: DumpChoreParts): Chore {
  return { name: 'dumping the catalog', everyMs: 600_000, run: (signal) => dumpWhenDue(parts, signal) };
}

async function dumpWhenDue({ catalog, repositories, clock, log }: DumpChoreParts, signal: AbortSignal): Promise<void> {
  for (const repository of await repositories()) {
    const key = dumpedAtKey(repository.id);
    const isDue = async (): Promise<boolean> => {
      const last = Date.parse(String(await catalog.settings.get(key)));
      return !(clock.now().getTime() - last < EVERY_MS);
    };
    if (!(await isDue())) continue;
    const dump = await dumpCatalog({ dumps: catalog.dumps, repository }, {
      reason: 'daily', wait: false, isDue, signal, onDumped: () => catalog.settings.set(key, clock.now().toISOString()),
    });
    if (dump === null) continue;
    const broken = dumpBodyOf(dump)?.broken ?? 0;
    log.info({ dump: dump.id, storedBytes: dump.storedBytes }, 'the catalog was dumped into the repository');
    if (broken > 0) log.error({ dump: dump.id, broken }, 'secrets of the catalog do not open: they were altered, or sealed with another master key');
    const { dumps, leavings } = await trimCatalogDumps(repository, { signal });
    if (dumps.length + leavings.length > 0) log.info({ dumps, leavings }, 'old dumps of the catalog went');
  }
}

/** Setting: when the newest dump was taken. */
export function dumpedAtKey(repositoryId: string): string {
  return `catalogDumpedAt ${repositoryId}`;
}
