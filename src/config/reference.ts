// Writes docs/reference/settings.md from the table of settings; `npm run docs` and a test use it.
import { SETTINGS, type Setting } from './settings.ts';

/** The whole page. */
export function settingsReference(): string {
  const rows = Object.values(SETTINGS).map((setting: Setting) => [
    `\`${setting.path}\``,
    `\`${setting.flag.split(' ')[0]}\``,
    `\`${setting.env}\``,
    setting.defaultText ?? `\`${String(setting.default)}\``,
    `${setting.help}${setting.secret ? '. **Secret**' : ''}`,
  ]);
  return [HEAD, table(['In the file', 'Flag', 'Environment', 'Default', 'Meaning'], rows), TAIL].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const HEAD = `# Settings

Written by \`npm run docs\` from \`src/config/settings.ts\`; edit there.

A flag wins over the environment, the environment over the file, the file over the default. The file is the one that
\`--config\` or \`LEAFVAULT_CONFIG\` names, else \`leafvault.yaml\` in the current folder where there is one. Relative paths in
the file start from the folder of the file, others from the current folder. All mistakes are told at once, with their
place, and nothing starts before they are gone.
`;

const TAIL = `
A secret in the file may be the text itself, \`{ env: NAME }\` or \`{ file: path }\` (one line end at the end of the file does
not count). Secrets are stored sealed with the master key, or hashed, and printed nowhere.

## What should exist

\`organizations\` declares what should exist. At each start Leafvault creates what is missing, by name, and deletes nothing.
Without it, and with \`source.uri\`, a first start makes one organization, project, cluster, API key and user, and prints
them once.

\`\`\`yaml
organizations:
  - name: Example
    id: 5f0000000000000000000001        # 24 hex digits; generated when absent
    apiKeys:
      - { publicKey: abcdefgh, privateKey: { env: LEAFVAULT_KEY }, roles: [ORG_OWNER], accessList: [127.0.0.1/32] }
    serviceAccounts:
      - { clientId: mdb_sa_id_5f0000000000000000000002, clientSecret: { file: ./client-secret }, roles: [ORG_OWNER] }
    users:                               # console and Commvault login
      - { name: admin, password: { env: LEAFVAULT_PASSWORD }, roles: [ORG_OWNER] }
    projects:
      - name: shop
        id: 5f0000000000000000000003
        apiKeys: []                      # same forms as above, with roles of a project
        serviceAccounts: []
        users: []
        clusters:
          - { name: orders, id: 5f0000000000000000000004, uri: { env: ORDERS_URI }, continuousBackup: true }
          - { name: carts, uri: { env: CARTS_URI }, drills: { everyHours: 24, at: "03:00", where: scratch, target: orders, namespaces: [shop] } }
\`\`\`

| In an organization | Roles |
| --- | --- |
| \`organizations[].apiKeys\`, \`serviceAccounts\`, \`users\` | \`ORG_OWNER\`, \`ORG_GROUP_CREATOR\`, \`ORG_BILLING_ADMIN\`, \`ORG_READ_ONLY\`, \`ORG_MEMBER\`; \`GLOBAL_OWNER\`, \`GLOBAL_BACKUP_ADMIN\`, \`GLOBAL_READ_ONLY\` count everywhere |
| \`organizations[].projects[].apiKeys\`, … | \`GROUP_OWNER\`, \`GROUP_BACKUP_MANAGER\`, \`GROUP_BACKUP_ADMIN\`, \`GROUP_BACKUP_CREATOR\`, \`GROUP_BACKUP_RECOVERY_OPERATOR\`, \`GROUP_BACKUP_EXPORT_OPERATOR\`, \`GROUP_CLUSTER_MANAGER\`, \`GROUP_DATA_ACCESS_ADMIN\`, \`GROUP_READ_ONLY\` |

\`accessList\` holds IP addresses and CIDR blocks; an empty one lets every address in (one that was emptied through an API lets none in, until the next start applies the file). \`continuousBackup: true\` keeps the oplog of
the cluster from then on, so that any instant can be restored, and asks for a first snapshot by itself; it needs a replica set (one member is enough). A later start with
another value switches it on or off; what was kept stays.

\`drills\` of a cluster says what differs for it from the settings \`drills.…\`: \`everyHours\`, \`at\`, \`where\`, and besides \`target\` (name of a cluster of the same project whose scratch databases
are used) and \`namespaces\` (databases or \`db.collection\`; everything where absent).

## Where exports go

\`exportTargets\` holds the places that an export bucket may name by its \`iamRoleId\` ([guide](../guides/exports.md)); for a name that is not there the AWS SDK looks by its own chain. \`projects\` keeps an entry for some projects.

\`\`\`yaml
exportTargets:
  - { name: 5f00000000000000000000ee, folder: /srv/exports, projects: [5f0000000000000000000003] }
  - { name: 5f00000000000000000000ef, endpoint: "https://minio.example:9000", region: us-east-1, accessKeyId: { env: EXPORT_KEY }, secretAccessKey: { env: EXPORT_SECRET }, pathStyle: true }
\`\`\`
`;
