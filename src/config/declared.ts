// What leafvault.yaml may declare to exist: organizations with keys, accounts, users, projects and clusters.
import { isIP } from 'node:net';
import { z } from 'zod';
import { DRILL_PLACES } from '../domain/drill.ts';
import { GLOBAL_ROLES, ORG_ROLES, PROJECT_ROLES } from '../domain/roles.ts';
import type { SecretReader } from './secrets.ts';
import { HOURS_BETWEEN, MONGO_URI, TIME_OF_DAY } from './settings.ts';

const id = z.string().regex(/^[0-9a-f]{24}$/, { error: 'expected 24 lower-case hex digits' });
const name = z.string().trim().min(1).max(64);
const clusterName = z.string().max(64).regex(/^[a-zA-Z0-9][a-zA-Z0-9-]*$/, { error: 'expected letters, digits and hyphens, a letter or digit first' });
const EXPECTED_ADDRESS = 'expected an IP address or a CIDR block such as 10.0.0.0/8';
const address = z.string().regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, { error: EXPECTED_ADDRESS }).refine(isAddressOrBlock, { error: EXPECTED_ADDRESS });
const accessList = z.array(address).default([]);

const drills = z.strictObject({
  everyHours: HOURS_BETWEEN.optional(),
  at: TIME_OF_DAY.optional(),
  where: z.enum(DRILL_PLACES).optional(),
  target: clusterName.optional(),
  namespaces: z.array(z.string().min(1).max(255)).optional(),
}).refine(({ where, target }) => where !== 'mongod' || target === undefined, { error: 'a target is for `where: scratch`; a throw-away mongod needs none' });

export type Declared = z.output<ReturnType<typeof declaredSchema>>;
export type DeclaredOrganization = Declared[number];
export type DeclaredProject = DeclaredOrganization['projects'][number];
export type DeclaredPrincipals = Pick<DeclaredOrganization, 'apiKeys' | 'serviceAccounts' | 'users'>;

/** @param readSecret resolves `{ env }` and `{ file }` */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the inferred schema is the type
export function declaredSchema(readSecret: SecretReader) {
  const secret = (text: z.ZodType<string, string>) => secretOf(text, readSecret);
  const principals = <R extends readonly [string, ...string[]]>(roles: R) => ({
    apiKeys: z
      .array(z.strictObject({
        publicKey: z.string().regex(/^[A-Za-z0-9_-]{4,64}$/, { error: 'expected 4 to 64 letters, digits, hyphens or underscores' }),
        privateKey: secret(z.string().min(8, { error: 'expected at least 8 characters' })),
        description: z.string().max(250).default(''),
        roles: z.array(z.enum(roles)).min(1),
        accessList,
      }))
      .default([]),
    serviceAccounts: z
      .array(z.strictObject({
        clientId: z.string().regex(/^mdb_sa_id_[0-9a-f]{24}$/, { error: 'expected mdb_sa_id_ and 24 hex digits' }),
        clientSecret: secret(z.string().startsWith('mdb_sa_sk_', { error: 'expected text that begins with mdb_sa_sk_' })),
        description: z.string().max(250).default(''),
        roles: z.array(z.enum(roles)).min(1),
        accessList,
      }))
      .default([]),
    users: z
      .array(z.strictObject({
        name: z.string().trim().min(1).max(256),
        password: secret(z.string().min(8, { error: 'expected at least 8 characters' })),
        roles: z.array(z.enum(roles)).min(1),
      }))
      .default([]),
  });
  const cluster = z.strictObject({
    name: clusterName,
    id: id.optional(),
    uri: secret(MONGO_URI),
    continuousBackup: z.boolean({ error: 'expected true or false' }).default(false),
    drills: drills.optional(),
    schedule: z.enum(['default', 'none']).default('default'),
  });
  const project = z.strictObject({ name, id: id.optional(), ...principals(PROJECT_ROLES), clusters: z.array(cluster).default([]) });
  const organization = z.strictObject({ name, id: id.optional(), ...principals([...ORG_ROLES, ...GLOBAL_ROLES] as const), projects: z.array(project).default([]) });
  return z.array(organization).superRefine(refuseTwins);
}

/** What could match no address at all is a mistake: it would lock its owner out. */
function isAddressOrBlock(entry: string): boolean {
  const [written = '', bits] = entry.split('/');
  const family = isIP(written);
  return family !== 0 && Number(bits ?? 0) <= (family === 6 ? 128 : 32);
}

export function secretOf(text: z.ZodType<string, string>, readSecret: SecretReader): z.ZodType<string> {
  const reference = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
    error: 'expected text, { env: NAME } or { file: path }',
  });
  return z
    .union([z.string(), reference], { error: 'expected text, { env: NAME } or { file: path }' })
    .transform((value, context): string => {
      if (typeof value === 'string') return value;
      const found = readSecret(value);
      if (typeof found === 'string') return found;
      context.addIssue({ code: 'custom', message: found.problem });
      return z.NEVER;
    })
    .pipe(text);
}

type Shape = readonly {
  readonly name: string;
  readonly id?: string | undefined;
  readonly projects: readonly { readonly name: string; readonly id?: string | undefined; readonly clusters: readonly { readonly name: string; readonly id?: string | undefined }[] }[];
}[];

/** Names are unique where they are looked up, ids everywhere. */
function refuseTwins(organizations: Shape, context: z.RefinementCtx): void {
  const once = (what: string) => {
    const seen = new Set<string>();
    return (value: string | undefined, path: (string | number)[]): void => {
      if (value === undefined) return;
      if (seen.has(value)) context.addIssue({ code: 'custom', message: `the ${what} ${value} is declared twice`, path });
      seen.add(value);
    };
  };
  const oneId = once('id');
  const oneOrganization = once('organization');
  for (const [o, organization] of organizations.entries()) {
    const oneProject = once('project');
    oneOrganization(organization.name, [o, 'name']);
    oneId(organization.id, [o, 'id']);
    for (const [p, project] of organization.projects.entries()) {
      const oneCluster = once('cluster');
      oneProject(project.name, [o, 'projects', p, 'name']);
      oneId(project.id, [o, 'projects', p, 'id']);
      for (const [c, cluster] of project.clusters.entries()) {
        oneCluster(cluster.name, [o, 'projects', p, 'clusters', c, 'name']);
        oneId(cluster.id, [o, 'projects', p, 'clusters', c, 'id']);
      }
    }
  }
}
