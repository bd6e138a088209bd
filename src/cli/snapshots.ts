// `leafvault snapshots`: what there is, and what keeps it: pins and holds (docs/design/pins-and-holds.md).
import { KEEP_KINDS, keepSnapshot, letGoOfSnapshot, openCatalogOf, type KeepKind } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { auditCommand, BY_COMMAND_LINE } from './audit-command.ts';
import { clustersNamed } from './clusters-named.ts';
import { EXIT_CODES } from './errors.ts';
import { plain, secondsText, tableText } from './text-table.ts';
import type { CliWorld } from './world.ts';

export interface SnapshotsFlags { readonly limit: number; readonly cluster: string | null; readonly json: boolean }

type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;
type Snapshot = Awaited<ReturnType<typeof keepSnapshot>>;

const TITLES = ['ID', 'CLUSTER', 'STATE', 'CAPTURED', 'EXPIRES', 'KEPT BY'];

/** Newest first, of each cluster. @throws CLI_CLUSTER_UNKNOWN, what keeps the catalog from being opened */
export async function runSnapshots(world: CliWorld, config: Config, { limit, cluster, json }: SnapshotsFlags): Promise<number> {
  return onCatalog(config, async (catalog) => {
    const snapshots: Snapshot[] = [];
    for (const { id } of await clustersNamed(catalog, cluster, 'Listing the snapshots')) {
      snapshots.push(...(await catalog.snapshots.list(id, { pageNumber: 1, itemsPerPage: limit })).items);
    }
    if (json) world.out(`${JSON.stringify(snapshots, null, 2)}\n`);
    else world.out(snapshots.length === 0 ? 'There are no snapshots yet.\n' : tableText([TITLES, ...snapshots.map(rowOf)], (at) => reasonsOf(snapshots[at])));
  });
}

export interface KeepFlags { readonly id: string; readonly kind: KeepKind; readonly json: boolean }

/** @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE, SNAPSHOT_KEPT (a second hold), REASON_INVALID, what keeps the catalog from being opened */
export function runKeep(world: CliWorld, config: Config, { id, kind, reason, json }: KeepFlags & { readonly reason: string | null }): Promise<number> {
  return onCatalog(config, async (catalog) => {
    const kept = await keepSnapshot({ catalog, clock: systemClock }, { id, kind, reason, by: BY_COMMAND_LINE }, (tx, snapshot) => audit(tx, snapshot, `snapshots ${kind === 'pin' ? 'pin' : 'hold'}`));
    world.out(json ? `${JSON.stringify(kept, null, 2)}\n` : `The snapshot ${id} stays until it is ${kind === 'pin' ? 'unpinned' : 'released'}\n`);
  });
}

/** @throws SNAPSHOT_NOT_FOUND, what keeps the catalog from being opened */
export function runLetGo(world: CliWorld, config: Config, { id, kind, json }: KeepFlags): Promise<number> {
  return onCatalog(config, async (catalog) => {
    const left = await letGoOfSnapshot({ catalog, clock: systemClock }, { id, kind, by: BY_COMMAND_LINE }, (tx, snapshot) => audit(tx, snapshot, `snapshots ${kind === 'pin' ? 'unpin' : 'release'}`));
    const other = KEEP_KINDS.find((each) => left[each] !== null);
    if (json) world.out(`${JSON.stringify(left, null, 2)}\n`);
    else world.out(other === undefined ? `Nothing keeps the snapshot ${id} any more: it ends at ${secondsText(left.expiresAt)}\n` : `The snapshot ${id} has still a ${other} on it, and stays\n`);
  });
}

async function onCatalog(config: Config, work: (catalog: Catalog) => Promise<void>): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    await work(catalog);
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}

function audit(catalog: Pick<Catalog, 'auditEvents'>, { id, projectId }: Snapshot, action: string): Promise<void> {
  return auditCommand(catalog, { action, projectId, object: id });
}

function rowOf({ id, clusterName, state, capturedAt, expiresAt, pin, hold }: Snapshot): readonly string[] {
  return [id, clusterName, state, capturedAt === null ? '' : secondsText(capturedAt), secondsText(expiresAt), [pin && 'pin', hold && 'hold'].filter(Boolean).join(', ')];
}

/** Lines below a snapshot that is kept. */
function reasonsOf(snapshot: Snapshot | undefined): readonly string[] {
  return KEEP_KINDS.flatMap((kind) => {
    const keep = snapshot?.[kind] ?? null;
    return keep === null ? [] : [`  ${kind} by ${plain(keep.by)}, ${secondsText(new Date(keep.at))}${keep.reason === null ? '' : `: ${plain(keep.reason)}`}`];
  });
}
