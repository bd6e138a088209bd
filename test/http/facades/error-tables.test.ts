// Every code that a door can meet has a row of its own, and what has none says nothing of the inside.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { facades } from '../../../src/http/facades/index.ts';
import { COMMVAULT_ERRORS } from '../../../src/http/facades/commvault/errors.ts';
import { ATLAS_V2_ERRORS } from '../../../src/http/facades/atlas-v2/errors.ts';
import { OPS_MANAGER_V1_ERRORS } from '../../../src/http/facades/ops-manager-v1/errors.ts';
import { ATLAS_ERRORS } from '../../../src/http/wire/atlas/errors.ts';
import { MMS_BACKUP_ERRORS } from '../../../src/http/wire/mms-backup/errors.ts';
import { WIRE_ERRORS } from '../../../src/http/wire/errors.ts';
import { SERVICE_ERRORS } from '../../../src/services/errors.ts';

/** Codes of the services that no path of a door leads to: downloads have a door of their own, states of continuous backup are told and not thrown, drills, the time line and reasons of holds are our own API's alone, the rest belongs to the start. */
const NOWHERE = ['DOWNLOAD_NOT_FOUND', 'DOWNLOAD_EXPIRED', 'DOWNLOAD_EXHAUSTED', 'DECLARATION_INVALID', 'RECOVERY_KEY_WRONG', 'RESTORE_NOT_UNDOABLE', 'RESTORE_NOTHING_KEPT', 'RESTORE_NOT_ABANDONABLE', 'TIMELINE_EMPTY', 'RANGE_INVALID', 'LEAVE_OUT_BEFORE_BASE', 'CONTINUOUS_NOT_FOLLOWED', 'CONTINUOUS_STANDS_STILL', 'DRILL_NOT_FOUND', 'DRILL_WITHOUT_SNAPSHOT', 'REASON_INVALID'];
/** Compliance policies and exports are spoken of at the doors of Atlas alone, what is in a snapshot at Commvault's, too. */
const ATLAS_ONLY = ['COMPLIANCE_INVALID', 'COMPLIANCE_UNMET', 'COMPLIANCE_NOT_FOUND', 'EXPORT_BUCKET_NOT_FOUND', 'EXPORT_BUCKET_INVALID', 'EXPORT_BUCKET_UNREACHABLE', 'EXPORT_BUCKET_IN_USE', 'EXPORT_NOT_FOUND', 'NAMESPACE_NOT_FOUND'];
/** Jobs and subclients are Commvault's words, and choices of what a snapshot takes. */
const COMMVAULT_ALONE = Object.keys(SERVICE_ERRORS).filter((code) => code.startsWith('SUBCLIENT_') || code.startsWith('JOB_') || code === 'SELECTION_EMPTY');
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'atlas-v2': COMMVAULT_ALONE,
  'atlas-v1': COMMVAULT_ALONE,
  'atlas-v1.5': COMMVAULT_ALONE,
  'ops-manager-v1': [...COMMVAULT_ALONE, 'RESTORE_NOT_CANCELLABLE', ...ATLAS_ONLY],
  commvault: ['ORGANIZATION_NOT_FOUND', 'RESTORE_NOT_FOUND', 'RESTORE_NOT_CANCELLABLE', 'EXPIRY_INVALID', 'SNAPSHOT_KEPT', 'BACKUP_STATE_INVALID', ...ATLAS_ONLY.filter((code) => code !== 'NAMESPACE_NOT_FOUND')],
};
/** API keys and their access lists, which Commvault has not. */
const KEYS = ['CREDENTIAL_NOT_FOUND', 'ROLE_UNFIT', 'GRANT_TOO_WIDE', 'LAST_OWNER', 'ACCESS_ENTRY_INVALID', 'ACCESS_ENTRY_NOT_FOUND', 'ACCESS_ENTRY_OWN', 'ACCESS_LIST_FULL'];
/** Around backups, which Atlas alone has. */
const ADMINISTRATION = ['PROJECT_NAME_TAKEN', 'PROJECT_HAS_CLUSTERS', 'PROJECT_HAS_SNAPSHOTS', 'USER_NOT_FOUND', 'CLUSTER_NAME_TAKEN', 'CLUSTER_NAME_KEPT', 'CLUSTER_URI_INVALID', 'CLUSTER_UNREACHABLE', 'CLUSTER_UNFIT', 'CLUSTER_PROTECTED', 'CLUSTER_BUSY', 'SECRET_NOT_FOUND', 'SECRETS_TOO_MANY', 'SECRET_LIFE_INVALID', 'EVENT_NOT_FOUND'];
const ONLY_FAMILY = ['ID_MALFORMED', 'RATE_LIMITED', 'PROJECT_NAME_NOT_FOUND', 'PROJECT_NAME_AMBIGUOUS'];
const OWN: Readonly<Record<string, readonly string[]>> = {
  'atlas-v2': [...Object.keys(WIRE_ERRORS), ...Object.keys(ATLAS_ERRORS), ...Object.keys(MMS_BACKUP_ERRORS), ...Object.keys(ATLAS_V2_ERRORS)],
  'atlas-v1': [...Object.keys(WIRE_ERRORS), ...Object.keys(ATLAS_ERRORS), ...Object.keys(MMS_BACKUP_ERRORS)],
  'atlas-v1.5': [...Object.keys(WIRE_ERRORS), ...Object.keys(ATLAS_ERRORS), ...Object.keys(MMS_BACKUP_ERRORS)],
  'ops-manager-v1': [...Object.keys(WIRE_ERRORS).filter((code) => code !== 'RATE_LIMITED'), ...Object.keys(OPS_MANAGER_V1_ERRORS), ...Object.keys(MMS_BACKUP_ERRORS)],
  commvault: [...Object.keys(WIRE_ERRORS).filter((code) => !ONLY_FAMILY.includes(code)), ...Object.keys(COMMVAULT_ERRORS)],
};
const REQUEST = { query: {}, params: {}, originalUrl: '/x' } as never;

for (const facade of facades.filter(({ name }) => OWN[name] !== undefined)) {
  describe(`the error table of ${facade.name}`, () => {
    const present = (code: string, options: ConstructorParameters<typeof LeafvaultError>[2] = {}) =>
      facade.presentFailure({ kind: 'error', error: new LeafvaultError(code, 'secret words of the inside', options) }, REQUEST, {} as never);
    const elsewhere = [...NOWHERE, ...(ELSEWHERE[facade.name] ?? []), ...(facade.name.startsWith('atlas-') ? [] : ADMINISTRATION), ...(facade.name === 'commvault' ? KEYS : [])];

    for (const code of [...(OWN[facade.name] ?? []), ...Object.keys(SERVICE_ERRORS).filter((each) => !elsewhere.includes(each))]) {
      test(`has a row for ${code}`, () => {
        const { status, body } = present(code, { details: { kind: 'snapshot', name: 'n', value: 'v', id: 'i' } });
        assert.ok(status >= 400 && status < 500, `${status}`);
        assert.ok(!JSON.stringify(body).includes('secret words'));
      });
    }

    test('says nothing of what it does not know', () => {
      const { status, body } = present('ENGINE_BROKE', { hint: 'look at /var/lib' });
      assert.equal(status, 500);
      assert.ok(!/secret|ENGINE|var/.test(JSON.stringify(body)));
    });

    test('asks to come back when the same call may succeed later', () => assert.equal(present('CATALOG_UNREACHABLE', { retryable: true }).status, 503));
  });
}
