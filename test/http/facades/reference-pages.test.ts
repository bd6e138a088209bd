// The reference pages and the code say the same, both ways.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CONSOLE_OPERATIONS } from '../../../src/http/console/console-api.ts';
import { ATLAS_V1_5_OPERATIONS, ATLAS_V1_OPERATIONS } from '../../../src/http/facades/atlas-v1/routes.ts';
import { ATLAS_V2_TABLES } from '../../../src/http/facades/atlas-v2/errors.ts';
import { ATLAS_V2_OPERATIONS } from '../../../src/http/facades/atlas-v2/routes.ts';
import { COMMVAULT_OPERATIONS } from '../../../src/http/facades/commvault/routes.ts';
import { OPS_MANAGER_V1_TABLES } from '../../../src/http/facades/ops-manager-v1/errors.ts';
import { OPS_MANAGER_V1_OPERATIONS } from '../../../src/http/facades/ops-manager-v1/routes.ts';
import type { ErrorRow } from '../../../src/http/wire/mms-failure.ts';

/** The rows of the tables below a heading, each as its cells. */
function rowsBelow(page: string, heading: string): string[][] {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/reference', page), 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---')).slice(1).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}

/** By which the rows of a schedule, of a compliance policy and of a state of backups differ. */
const RULES = ['daily', 'weekly', 'monthly', 'retention period', 'referenceHourOfDay', 'referenceMinuteOfHour', 'referenceTimeZoneOffset', 'clusterCheckpointIntervalMin', 'started', 'stopped', 'terminating', 'interval', 'deletion', 'expiry', 'schedule', 'continuous', 'encryption', 'cluster', 'policy', 'policyId', 'itemId', 'itemType', 'retention', 'referenceHour', 'referenceMinute', 'restoreWindow', 'order', 'policies', 'items', 'item'];

const inBraces = (path: string): string => path.replaceAll(/\/:([a-zA-Z]+)/g, '/{$1}');

interface Described { readonly method: string; readonly path: string; readonly roles?: readonly string[] | null; readonly orgRoles?: readonly string[] | undefined; readonly globalRoles?: readonly string[] | undefined; readonly versions?: readonly { readonly date: string }[] }

function described({ method, path, roles, orgRoles, globalRoles, versions }: Described): string {
  const named = [...(roles ?? orgRoles ?? []), ...(globalRoles ?? [])];
  const anyOf = named.length === 0 ? null : named;
  const who = roles === undefined ? [] : [anyOf === null ? 'anyone known' : anyOf.map((role) => `\`${role}\``).join(' or ')];
  return [method, `\`${inBraces(path)}\``, ...who, ...(versions === undefined ? [] : [versions.map(({ date }) => date).join(', ')])].join(' | ');
}

describe('the reference pages', () => {
  for (const [page, heading, operations, cells] of [
    ['atlas.md', 'Operations of v2', ATLAS_V2_OPERATIONS, 4],
    ['atlas.md', 'Operations of v1.0', ATLAS_V1_OPERATIONS, 3],
    ['atlas.md', 'Operations of v1.5', ATLAS_V1_5_OPERATIONS, 3],
    ['ops-manager.md', 'Operations', OPS_MANAGER_V1_OPERATIONS, 3],
    ['commvault.md', 'Operations', COMMVAULT_OPERATIONS, 2],
    ['own-api.md', 'Operations', CONSOLE_OPERATIONS, 3],
  ] as const) {
    test(`list the operations of ${page}, ${heading}, with their roles and versions`, () => {
      const listed = rowsBelow(page, heading).map((row) => row.slice(0, cells).join(' | '));
      assert.deepEqual(listed.sort(), (operations as readonly Described[]).map(described).sort());
    });
  }

  for (const [page, { errors, failures }] of [['atlas.md', ATLAS_V2_TABLES], ['ops-manager.md', OPS_MANAGER_V1_TABLES]] as const) {
    test(`list the error codes of ${page}`, () => {
      const rows: ErrorRow[] = [...Object.values(errors), ...Object.values(failures)].flatMap((entry) => (typeof entry !== 'function' ? [entry]
        : [...RULES.map((rule) => entry({ rule, part: rule, to: rule, frequencyType: rule, name: rule, deleted: true })), entry({ name: 'count', mayBeZero: true }), entry({ name: 'count', mayBeZero: false }), ...['group', 'organization', 'cluster', 'snapshot', 'restoreJob', 'checkpoint', 'exportBucket', 'export', 'apiKey', 'serviceAccount', 'event'].flatMap((kind) => ['/x', '/backup/tenant/', '/backup/exports'].map((path) => entry({ kind, path })))]));
      const told = new Set(rows.map(({ status, errorCode }) => `${status} \`${errorCode}\``));
      const listed = new Set(rowsBelow(page, 'Errors').map(([status, code]) => `${status} ${code}`));
      listed.delete('401 `UNEXPECTED_ERROR`');
      assert.deepEqual([...listed].sort(), [...told].sort());
    });
  }
});
