// `npm run test:fuzz`: Schemathesis asks a running server, with a real mongod behind it, whatever our own document allows and forbids, for a
// bounded time. No answer may be a 5xx, have another status or type than the document says, or break its schema.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DOCUMENT_PATH } from '../../src/http/openapi/openapi-door.ts';
import { ATLAS_PARAMS, startAtlasInstallation } from '../support/atlas-installation.ts';
import { resolveSchemathesis, runSchemathesis } from '../support/schemathesis.ts';

const SECONDS = Number(process.env.LEAFVAULT_FUZZ_SECONDS ?? 60);
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'];
/** Of Atlas alone: Ops Manager knows digest, for which Schemathesis has no word. */
const PATHS = '^/api/atlas/';
/** What would take the snapshot away that the others ask about: a legacy expiry in the past. Deleting is left to the contract suite for the same reason. */
const ENDING = 'clusterName_snapshots_snapshotId$';

test('no request makes a door fail, or answer other than its document says', { timeout: 600_000 }, async (context) => {
  const schemathesis = await resolveSchemathesis();
  await using installation = await startAtlasInstallation(20);
  const cluster = `/api/atlas/v2/groups/${ATLAS_PARAMS['groupId']}/clusters/${ATLAS_PARAMS['clusterName']}`;
  const { json } = await installation.ask('POST', `${cluster}/backup/snapshots`, { body: {} });
  await installation.settled(`${cluster}/backup/snapshots/${String(json['id'])}`, ({ status }) => status === 'completed');
  const restore = await installation.ask('POST', `${cluster}/backup/restoreJobs`, { body: { deliveryType: 'download', snapshotId: json['id'] } });
  // Things that are there, so that more than 404 is answered.
  const parameters = { ...ATLAS_PARAMS, snapshotId: String(json['id']), restoreJobId: String(restore.json['id']), restoreId: String(restore.json['id']), jobId: String(restore.json['id']) };
  await writeFile(join(installation.folder.path, 'schemathesis.toml'), `[parameters]\n${Object.entries(parameters).map(([name, value]) => `"path.${name}" = "${value}"`).join('\n')}\n`);
  const { exitCode, output } = await runSchemathesis(schemathesis, [
    'run', `${installation.origin}${DOCUMENT_PATH}`, '--header', `Authorization: Bearer ${installation.token}`, '--header', 'Accept: application/vnd.atlas.2025-03-12+json',
    '--checks', CHECKS.join(','), '--include-path-regex', PATHS, '--exclude-method', 'DELETE', '--exclude-operation-id-regex', ENDING, '--rate-limit', '150/s', '--max-time', String(SECONDS), '--no-shrink',
  ], { cwd: installation.folder.path, seconds: SECONDS + 120 });
  const end = output.slice(output.lastIndexOf('SUMMARY'));
  context.diagnostic(`${end.split('\n').filter((line) => line.trim() !== '').slice(0, 12).join(' | ')}`);
  assert.equal(exitCode, 0, output.slice(-8_000));
  assert.equal((await fetch(`${installation.origin}/readyz`)).status, 200, 'it still stands');
});
