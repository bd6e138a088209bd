import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadScans, storeScans, type KeptScan } from '../../../../src/engine/backup/rest/rest-document.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';

const LIST = { root: 'a'.repeat(64), height: 0, chunks: 1, records: 1, rawBytes: 9 };
const scans: readonly KeptScan[] = Array.from({ length: 3_000 }, (_, n) => ({
  uuid: n.toString(16).padStart(32, '0'), since: { t: n, i: 1 }, mask: 63, state: 'AAAA', list: LIST, records: null,
  middle: n % 2 === 0 ? null : { tokens: ['dG9rZW4='], last: 'dG9rZW4=', tail: null, tailBytes: 0 },
}));

describe('what a rest kept of its collections', () => {
  for (const [where, ownBytes, isList] of [['in the document itself', undefined, false], ['in chunks where they are too many', 10_000, true]] as const) {
    test(`stands ${where}, and comes back as it was`, async () => {
      const repository = await openTestRepository(createMemoryStorage());
      const writer = await repository.openWriter();
      const stored = await storeScans(writer, scans, ownBytes);
      assert.equal('root' in stored, isList);
      await writer.suspend();
      const reader = await repository.openReader();
      assert.deepEqual(await loadScans(reader, JSON.parse(JSON.stringify(stored)) as typeof stored), scans);
      await reader.close();
      await repository.close();
    });
  }
});
