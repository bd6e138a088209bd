// What a person reads when Leafvault comes up: the secrets of a first start (once), and where it listens.
import type { FirstStart } from '../services/index.ts';

/** Text for standard output, printed once in the life of an installation. */
export function describeFirstStart(made: FirstStart, place: { readonly address: string; readonly masterKeyFile: string }): string {
  const lines: [string, string][] = [
    ['organization', `${made.organization.name}  ${made.organization.id}`],
    ['project', `${made.project.name}  ${made.project.id}`],
    ...(made.cluster === null ? [] : [['cluster', made.cluster.name] as [string, string]]),
    ['public key', made.apiKey.publicKey],
    ['private key', made.apiKey.privateKey],
    ['user', made.user.name],
    ['password', made.user.password],
    ['recovery key', made.recoveryKey],
  ];
  const cluster = made.cluster?.name ?? '<cluster>';
  return [
    '',
    'First start. This is shown once; keep it where the backups are not:',
    '',
    ...lines.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    '',
    `The recovery key is the content of ${place.masterKeyFile}. Without it nobody can read the backups.`,
    ...(made.cluster === null ? ['There is no cluster yet: set LEAFVAULT_SOURCE_URI, or declare clusters in leafvault.yaml.'] : []),
    '',
    'Take a snapshot:',
    '',
    `  curl --digest --user '${made.apiKey.publicKey}:${made.apiKey.privateKey}' \\`,
    "    --header 'Accept: application/vnd.atlas.2023-01-01+json' --header 'Content-Type: application/json' \\",
    `    --data '{"description": "first", "retentionInDays": 7}' \\`,
    `    '${place.address}/api/atlas/v2/groups/${made.project.id}/clusters/${cluster}/backup/snapshots'`,
    '',
    '',
  ].join('\n');
}
