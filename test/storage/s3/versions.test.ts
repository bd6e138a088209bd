import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withOddServer, type Answer } from '../../support/odd-s3-server.ts';

/** versitygw tells of an older version when it stopped being the newest, which may be a moment after its marker was made. */
const LISTED = `<ListVersionsResult><IsTruncated>false</IsTruncated>
  <Version><Key>packs/a</Key><VersionId>1</VersionId><IsLatest>false</IsLatest><LastModified>2026-11-28T12:00:01.000Z</LastModified><ETag>"e"</ETag><Size>4</Size></Version>
  <DeleteMarker><Key>packs/a</Key><VersionId>2</VersionId><IsLatest>true</IsLatest><LastModified>2026-11-28T12:00:00.999Z</LastModified></DeleteMarker>
</ListVersionsResult>`;

test('the newest version of a name is the one that the server calls so, whatever its times say', async () => {
  const lists: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/xml' }).end(LISTED);
  await withOddServer(lists, async (storage) => {
    const report = await storage.objectLock?.purge(new Date('2026-11-28T00:00:00Z'), () => true);
    assert.deepEqual(report, { removed: 0, removedBytes: 0, hidden: 1, hiddenBytes: 4, refused: null });
  }, { settings: '&objectLock=governance:10' });
});
