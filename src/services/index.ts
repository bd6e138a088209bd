// The door of the services. What they offer to the doors of the APIs stands in contracts.ts.
export { createServices, type ServicesOptions } from './create-services.ts';
export { createAskForDrill, createDrills } from './drills.ts';
export { previewClusterSchedule } from './schedules.ts';
export { createOverview } from './overview.ts';
export { createUpkeep } from './upkeep.ts';
export { abandonJob, cancelJob, pauseJob, resumeJob } from './jobs.ts';
export { keepSnapshot, letGoOfSnapshot } from './keep-snapshot.ts';
export { type TimelineChain, type TimelineReader } from './timeline.ts';
export { type ReadContents, type SnapshotNamespace } from './snapshot-contents.ts';
export { type OpenArchive } from './downloads.ts';
export { applyDeclared, type DeclaredCluster, type DeclaredOrganization, type DeclaredProject } from './declared.ts';
export { type DeclaredApiKey, type DeclaredCredentials, type DeclaredServiceAccount, type DeclaredUser } from './declared-credentials.ts';
export { type DeclarationReport } from './declaring.ts';
export { FIRST_CLUSTER, FIRST_START_MARK, firstStart, type FirstStart, type FirstStartOptions } from './first-start.ts';
export { makeFreshKeys, type FreshKey } from './fresh-keys.ts';
export { masterKeyFrom, recoveryKeyOf } from './recovery-key.ts';
export { DIGEST_REALM } from './digest-realm.ts';
export { SERVICE_ERRORS, type ServiceErrorCode } from './errors.ts';
