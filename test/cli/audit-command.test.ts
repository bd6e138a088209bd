// What the command line leaves in the audit: by what became of the work, and of the catalog meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditWork } from '../../src/cli/audit-command.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';

type AuditEvents = Parameters<typeof auditWork>[0]['auditEvents'];
const EVENT = { action: 'jobs cancel', projectId: '5f0000000000000000000003', object: 'job' };

function auditOf(settle?: AuditEvents['settle']) {
  const outcomes: unknown[] = [];
  const keep: AuditEvents['settle'] = (_, events) => Promise.resolve(void outcomes.push(...events.map(({ details }) => details['status'])));
  return { outcomes, auditEvents: { begin: () => Promise.resolve(1), settle: settle ?? keep } as unknown as AuditEvents };
}

test('what was refused is told as refused, what broke in between as unknown', async () => {
  const { outcomes, auditEvents } = auditOf();
  for (const error of [new LeafvaultError('JOB_NOT_CANCELLABLE', 'It is over'), new LeafvaultError('CATALOG_UNREACHABLE', 'Connection terminated'), new TypeError('x is undefined')]) {
    await assert.rejects(auditWork({ auditEvents }, EVENT, () => Promise.reject(error)), error);
  }
  assert.deepEqual(outcomes, [409, 500, 500]);
});

test('what was done counts, even where its outcome can not be kept', async () => {
  const { auditEvents } = auditOf(() => Promise.reject(new Error('disk is full')));
  assert.equal(await auditWork({ auditEvents }, EVENT, () => Promise.resolve('done')), 'done');
});
