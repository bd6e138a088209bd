// The fact `about`: whose snapshot it is, in words that a rescue without the catalog needs.
import type { Catalog, SnapshotRecord } from '../catalog/index.ts';
import type { KeptItem } from '../domain/retention.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Fact, Repository } from '../repository/repository.ts';

export const ABOUT = 'about';

interface Named { readonly id: string; readonly name: string }

/** Body of the fact; no secret, and no address. */
export interface About {
  readonly organization: Named;
  readonly project: Named;
  readonly cluster: Named & { readonly continuousBackup: boolean };
  readonly type: SnapshotRecord['type'];
  readonly description: string | null;
  readonly retentionDays: number;
  /** ISO 8601. */
  readonly requestedAt: string;
  readonly jobId: string;
  /** Of its schedule; absent: it was taken by none. */
  readonly policyItems?: readonly KeptItem[];
}

/** Once; nothing where the rows are gone that it would speak of. */
export async function stateAbout({ catalog, repository, clock }: { readonly catalog: Catalog; readonly repository: Repository; readonly clock: Clock }, snapshot: SnapshotRecord, known: readonly Fact[]): Promise<void> {
  if (known.some(({ kind }) => kind === ABOUT)) return;
  const [cluster, project] = await Promise.all([catalog.clusters.get(snapshot.clusterId), catalog.projects.get(snapshot.projectId)]);
  const organization = project === null ? null : await catalog.organizations.get(project.orgId);
  if (cluster === null || project === null || organization === null) return;
  const named = ({ id, name }: Named): Named => ({ id, name });
  const about: About = {
    organization: named(organization), project: named(project), cluster: { ...named(cluster), continuousBackup: cluster.continuousBackup },
    type: snapshot.type, description: snapshot.description, retentionDays: snapshot.retentionDays, requestedAt: snapshot.requestedAt.toISOString(), jobId: snapshot.jobId,
    ...(snapshot.policyItems === null ? {} : { policyItems: snapshot.policyItems }),
  };
  await repository.addFact({ snapshotId: snapshot.id, kind: ABOUT, createdAt: clock.now().toISOString(), body: { ...about } });
}

/** null where it lacks what it should have. */
export function aboutOf({ body }: Pick<Fact, 'body'>): About | null {
  const about = body as unknown as Partial<About>;
  const isNamed = (value: Partial<Named> | undefined): boolean => typeof value?.id === 'string' && /^[0-9a-f]{24}$/.test(value.id) && typeof value.name === 'string';
  const whole = isNamed(about.organization) && isNamed(about.project) && isNamed(about.cluster) && (about.type === 'onDemand' || about.type === 'scheduled')
    && typeof about.retentionDays === 'number' && !Number.isNaN(Date.parse(String(about.requestedAt))) && typeof about.jobId === 'string';
  return whole ? (about as About) : null;
}
