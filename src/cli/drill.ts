// `leafvault drill <cluster>`: restores the newest snapshot for practice, now, and says what came of it.
import { openDrillsOf, type OpenDrills } from '../app.ts';
import type { Config } from '../config/index.ts';
import { sleep } from '../foundation/abort.ts';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { createLogger } from '../foundation/logger.ts';
import { causeOf, drillText, recoveryText } from './drill-text.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export interface DrillFlags {
  /** Name or id. */
  readonly cluster: string;
  /** Null: as declared. */
  readonly namespaces: readonly string[] | null;
  readonly where: 'scratch' | 'mongod' | null;
  /** False: it is only asked for. */
  readonly wait: boolean;
  readonly json: boolean;
}

type Cluster = Awaited<ReturnType<OpenDrills['catalog']['clusters']['ofProjects']>>[number];
type Drill = Awaited<ReturnType<OpenDrills['drills']['get']>>;

const LOOK_MS = 250;
const IDLE_TOLD_MS = 10_000;

/** Exit code 0 only for a drill that was proven, or asked for without waiting. @throws CLI_CLUSTER_UNKNOWN, CLI_CLUSTER_AMBIGUOUS, DRILL_WITHOUT_SNAPSHOT */
export async function runDrill(world: CliWorld, config: Config, flags: DrillFlags): Promise<number> {
  const open = await openDrillsOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const cluster = await findCluster(open, flags.cluster);
    const asked = await open.drills.ask({ cluster, requestedBy: 'command line', namespaces: flags.namespaces ?? undefined, place: flags.where ?? undefined });
    if (!flags.wait) {
      world.out(flags.json ? `${JSON.stringify(asked, null, 2)}\n` : `asked for drill ${asked.id} of ${cluster.name}; \`leafvault drills\` shows its end\n`);
      return EXIT_CODES.ok.code;
    }
    const drill = await endOf(world, open, cluster, asked);
    if (drill === null) {
      world.err(`The drill ${asked.id} goes on; \`leafvault drills\` shows its end\n`);
      return EXIT_CODES.interrupted.code;
    }
    if (flags.json) world.out(`${JSON.stringify(drill, null, 2)}\n`);
    else if (drill.state === 'completed') world.out(`${drillText(drill)}\n${recoveryText(await open.drills.recovery((await open.catalog.clusters.get(cluster.id)) ?? cluster))}\n`);
    else for (const line of [`The drill of ${cluster.name} ${drill.state === 'failed' ? 'failed: its newest snapshot was not proven' : 'was cancelled'}`, ...causeOf(drill)]) world.err(`${line}\n`);
    return drill.state === 'completed' ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
  } finally {
    await open.close();
  }
}

/** Tells each phase once, those that went by between two looks with the end; null when the person would not wait. */
async function endOf(world: CliWorld, { catalog, drills }: OpenDrills, cluster: Cluster, asked: Drill): Promise<Drill | null> {
  const beganAt = systemClock.monotonicMs();
  const told = new Set<string>();
  const tell = (phase: string): void => {
    if (!told.has(phase)) world.err(`${phase} …\n`);
    told.add(phase);
  };
  let isIdleTold = false;
  for (;;) {
    const drill = await drills.get(cluster.id, asked.id);
    if (drill.state !== 'queued' && drill.state !== 'running') {
      for (const { phase } of drill.phases) tell(phase);
      return drill;
    }
    const phase = (await catalog.jobs.get(drill.jobId))?.phase ?? null;
    if (phase !== null) tell(phase);
    else if (!isIdleTold && told.size === 0 && drill.state === 'queued' && systemClock.monotonicMs() - beganAt > IDLE_TOLD_MS) {
      isIdleTold = true;
      world.err('No worker has taken it yet: is `leafvault serve` or `leafvault worker` running, with a free slot?\n');
    }
    if (!(await sleep(LOOK_MS, world.stop).then(() => true, () => false))) return null;
  }
}

async function findCluster({ catalog }: OpenDrills, nameOrId: string): Promise<Cluster> {
  const all = await catalog.clusters.ofProjects(null);
  const found = all.filter(({ id, name }) => id === nameOrId || name === nameOrId);
  const [cluster] = found;
  if (cluster === undefined) {
    throw new LeafvaultError('CLI_CLUSTER_UNKNOWN', `Drilling cluster ${nameOrId} failed: there is no cluster of that name or id`, {
      details: { name: nameOrId }, hint: all.length === 0 ? 'There is no cluster yet' : `There are: ${[...new Set(all.map(({ name }) => name))].join(', ')}`,
    });
  }
  if (found.length === 1) return cluster;
  const ids = found.map(({ id }) => id);
  throw new LeafvaultError('CLI_CLUSTER_AMBIGUOUS', `Drilling cluster ${nameOrId} failed: ${found.length} projects have one of that name`, { details: { name: nameOrId, ids }, hint: `Give its id: ${ids.join(', ')}` });
}
