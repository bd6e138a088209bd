// What a check found: bounded, and still true about what it costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProblems } from '../../../src/repository/check/problems.ts';

test('what findings cost is told, though there are too many to be kept', () => {
  const problems = createProblems();
  for (let i = 0; i < 10_005; i += 1) problems.find('REPOSITORY_CHUNK_DAMAGED', `chunk ${i}`, 'damaged').costs(`snapshot ${i}`, 'a');
  // Found on the way, of no consequence.
  for (let i = 0; i < 10; i += 1) problems.find('REPOSITORY_CHUNK_DAMAGED', `other ${i}`, 'damaged', true);
  const report = problems.report();
  assert.equal(report.length, 10_001);
  assert.deepEqual([report.at(-1)?.message, report.at(-1)?.affects.map(({ snapshotId }) => snapshotId)], ['5 more findings are not listed', [0, 1, 2, 3, 4].map((i) => `snapshot ${10_000 + i}`)]);
});

test('every snapshot is told, though one finding costs too many entries to name them all', () => {
  const problems = createProblems();
  const finding = problems.find('REPOSITORY_OBJECT_MISSING', 'pack', 'gone');
  for (let i = 0; i < 10_050; i += 1) finding.costs('first', `entry ${i}`);
  finding.costs('second', 'a');
  const affects = problems.report()[0]?.affects ?? assert.fail();
  assert.equal(affects.length, 10_002);
  assert.deepEqual(affects.at(-1), { snapshotId: 'second', entry: null });
});
