// Everything that the doors may ask for, over one catalog and one queue.
import { createSecretKey } from 'node:crypto';
import type { CatalogStore } from '../catalog/index.ts';
import type { DrillDefaults } from '../domain/drill.ts';
import type { Clock } from '../foundation/clock.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { FoundServer } from './administration-contracts.ts';
import type { StandsElsewhere } from './abandon-restore.ts';
import { createAudit } from './audit.ts';
import { createBackupConfigs } from './backup-configs.ts';
import { createChangeEvents } from './change-events.ts';
import { createClusters } from './clusters.ts';
import { createCollectionRestores } from './collection-restores.ts';
import { createCompliance } from './compliance.ts';
import { createContinuous } from './continuous.ts';
import { createCredentials } from './credentials.ts';
import type { Services } from './contracts.ts';
import type { OpenBucketOf } from '../domain/exports.ts';
import { createDownloads, type OpenArchive } from './downloads.ts';
import { createDrills } from './drills.ts';
import { createExportBuckets } from './export-buckets.ts';
import { createExports } from './exports.ts';
import { createHosts } from './hosts.ts';
import { createIdentity } from './identity.ts';
import { createInventory } from './inventory.ts';
import { createJobs } from './jobs.ts';
import { createOrganizations } from './organizations.ts';
import { createProjects } from './projects.ts';
import { createRestores, type RestoreDefaults } from './restores.ts';
import type { CatchUp } from '../domain/plan-run.ts';
import { createSchedules } from './schedules.ts';
import { createSnapshotContents, type ReadContents } from './snapshot-contents.ts';
import { createSnapshots } from './snapshots.ts';
import { createTimeline, type TimelineReader } from './timeline.ts';
import { createSubclients } from './subclients.ts';
import { createTogether } from './together.ts';
import { createUpkeep } from './upkeep.ts';

export interface ServicesOptions {
  readonly catalog: CatalogStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** 32 bytes of the catalog, the same for its whole life; signing keys are derived from it. */
  readonly secret: Uint8Array;
  /** Origin of download addresses, without a slash at the end; asked for when one is made. */
  readonly baseUrl: () => string;
  readonly openArchive: OpenArchive;
  readonly timelineReader: TimelineReader;
  /** Places of exports; absent: there are none. */
  readonly openBucket?: OpenBucketOf;
  /** What snapshots hold; absent: nobody can look. */
  readonly readContents?: ReadContents;
  /** What counts for a restore where its request doesn't say. */
  readonly restoreDefaults: RestoreDefaults;
  readonly drillDefaults?: DrillDefaults;
  /** Looks who answers at a connection string; without it no cluster can be registered by API. */
  readonly probe?: (uri: string, options?: { readonly rights?: boolean }) => Promise<FoundServer>;
  /** Asked before a restore is abandoned; without it none is. */
  readonly standsElsewhere?: StandsElsewhere;
  /** What becomes of due times that nobody looked at; default `once`. */
  readonly catchUp?: CatchUp;
}

const NO_BUCKETS: OpenBucketOf = () => { throw new TypeError('Nothing opens buckets here'); };
const NO_CONTENTS: ReadContents = () => Promise.reject(new TypeError('Nothing reads snapshots here'));

/** As the settings are where nothing is said. */
const NO_DRILLS: DrillDefaults = { everyHours: null, at: null, where: null, mongod: null };

const noProbe = (): Promise<never> => Promise.reject(new Error('This process reaches no servers'));

export function createServices(
  { catalog, queue, clock, secret, baseUrl, openArchive, timelineReader, openBucket = NO_BUCKETS, readContents = NO_CONTENTS, restoreDefaults, drillDefaults = NO_DRILLS, probe = noProbe, standsElsewhere = noProbe, catchUp = 'once' }: ServicesOptions,
): Services {
  const identity = createIdentity({ catalog, clock, secret });
  const key = createSecretKey(identity.signingKey('download-url'));
  const continuous = createContinuous({ catalog, clock });
  const snapshots = createSnapshots({ catalog, queue, clock });
  const restoring = { catalog, queue, clock, key, baseUrl, continuous, defaults: restoreDefaults, standsElsewhere };
  const restores = createRestores(restoring);
  return {
    identity,
    inventory: createInventory(catalog),
    snapshots,
    schedules: createSchedules({ catalog, clock, catchUp }),
    backupConfigs: createBackupConfigs({ catalog, clock, snapshots, probe }),
    hosts: createHosts({ catalog, clock, probe }),
    compliance: createCompliance({ catalog, clock, catchUp }),
    restores,
    collectionRestores: createCollectionRestores({ catalog, restores: restoring, readContents }),
    exportBuckets: createExportBuckets({ catalog, clock, openBucket }),
    exports: createExports({ catalog, queue, clock }),
    contents: createSnapshotContents({ catalog, readContents }),
    continuous,
    timeline: createTimeline({ catalog, reader: timelineReader, clock }),
    downloads: createDownloads({ catalog, clock, key, openArchive }),
    jobs: createJobs({ catalog, queue, snapshots, restores }),
    upkeep: createUpkeep({ catalog, clock }),
    drills: createDrills({ catalog, queue, clock, defaults: drillDefaults }),
    numbers: catalog.numbers,
    subclients: createSubclients(catalog),
    together: createTogether({ catalog, clock, restoring, catchUp }),
    audit: createAudit(catalog),
    administration: {
      organizations: createOrganizations(catalog),
      projects: createProjects({ catalog, clock }),
      clusters: createClusters({ catalog, queue, clock, snapshots, probe }),
      credentials: createCredentials({ catalog, clock }),
      events: createChangeEvents(catalog),
    },
  };
}
