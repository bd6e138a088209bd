// Restore drills: what a cluster may choose of them, and what is known of one. docs/design/drills.md
import type { JobState } from './records.ts';

export const DRILL_PLACES = ['scratch', 'mongod'] as const;
/** `scratch`: databases of its own on a registered cluster; `mongod`: a server of its own. */
export type DrillPlace = (typeof DRILL_PLACES)[number];

export const DRILL_TRIGGERS = ['schedule', 'asked'] as const;
export type DrillTrigger = (typeof DRILL_TRIGGERS)[number];

/** What is declared of a cluster's drills; absent: as the settings say. */
export interface DrillChoices {
  /** 0: never by schedule. */
  readonly everyHours?: number | undefined;
  /** `HH:MM`, UTC. */
  readonly at?: string | undefined;
  readonly where?: DrillPlace | undefined;
  /** Name of a cluster of the same project; absent: the cluster itself. */
  readonly target?: string | undefined;
  /** Databases or `db.collection`; absent or empty: everything. */
  readonly namespaces?: readonly string[] | undefined;
}

/** What the settings say for every cluster. */
export interface DrillDefaults {
  /** null: never, or daily where `at` is set. */
  readonly everyHours: number | null;
  readonly at: string | null;
  /** null: `mongod` where a binary is named, else `scratch`. */
  readonly where: DrillPlace | null;
  /** Path of a mongod. */
  readonly mongod: string | null;
}

/** What counts for one cluster. */
export interface DrillOrder {
  /** 0: never by schedule. */
  readonly everyHours: number;
  readonly at: string | null;
  readonly place: DrillPlace;
  readonly target: string | null;
  readonly namespaces: readonly string[];
}

const DAILY = 24;

/** What is declared of a cluster comes before the settings. A target is named for scratch, so it chooses that place. */
export function drillOrderOf({ everyHours, at, where, mongod }: DrillDefaults, choices: DrillChoices | null): DrillOrder {
  const time = choices?.at ?? at;
  const target = choices?.target ?? null;
  return {
    everyHours: choices?.everyHours ?? everyHours ?? (time === null ? 0 : DAILY),
    at: time,
    place: choices?.where ?? (target === null ? (where ?? (mongod === null ? 'scratch' : 'mongod')) : 'scratch'),
    target,
    namespaces: choices?.namespaces ?? [],
  };
}

/** In the order in which they are gone through; `start` and `drop` are a drill's own, the others a restore's. */
export const DRILL_PHASES = ['start', 'preflight', 'prepare', 'load', 'indexes', 'prove', 'swap', 'finish', 'drop'] as const;
export type DrillPhaseName = (typeof DRILL_PHASES)[number];

export interface DrillPhase { readonly phase: DrillPhaseName; readonly ms: number }

/** One drill; state and cause are those of its job. */
export interface Drill {
  readonly id: string;
  readonly projectId: string;
  readonly clusterId: string;
  readonly snapshotId: string;
  readonly jobId: string;
  readonly trigger: DrillTrigger;
  readonly place: DrillPlace;
  /** Of `scratch`; null where no cluster has the name that was declared. */
  readonly targetClusterId: string | null;
  /** Empty: everything. */
  readonly namespaces: readonly string[];
  readonly state: JobState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Of the last attempt; also of one that failed, up to there. */
  readonly phases: readonly DrillPhase[];
  /** Null until it is proven, as the counts beside it. */
  readonly documents: number | null;
  /** Raw BSON bytes. */
  readonly bytes: number | null;
  readonly collections: number | null;
  readonly indexes: number | null;
  readonly warnings: readonly string[];
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorHint: string | null;
}
