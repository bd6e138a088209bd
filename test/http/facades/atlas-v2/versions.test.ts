import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { SHOP_ID } from '../../../support/memory-services.ts';

const CLUSTERS = `/api/atlas/v2/groups/${SHOP_ID}/clusters`;

describe('versions of Atlas v2', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const accept = (value: string | undefined) => facade.ask(CLUSTERS, { headers: value === undefined ? {} : { accept: value } });

  for (const [asked, used] of [
    ['application/vnd.atlas.2023-01-01+json', '2023-01-01'],
    ['application/vnd.atlas.2023-01-31+json', '2023-01-01'],
    ['application/vnd.atlas.2023-02-01+json', '2023-02-01'],
    ['application/vnd.atlas.2024-08-05+json', '2024-08-05'],
    ['application/vnd.atlas.2025-03-12+json', '2024-08-05'],
    ['application/json, application/vnd.atlas.2023-02-01+json;q=0.5', '2023-02-01'],
    ['application/vnd.atlas.2023-01-01+json, application/vnd.atlas.2024-08-05+json', '2024-08-05'],
    ['Application/VND.Atlas.2024-08-05+JSON', '2024-08-05'],
  ] as const) {
    test(`answers ${asked} with ${used}`, async () => {
      const { status, headers } = await accept(asked);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], `application/vnd.atlas.${used}+json;charset=utf-8`);
    });
  }

  test('marks a version that was replaced, and not the newest', async () => {
    const old = (await accept('application/vnd.atlas.2023-02-01+json')).headers;
    assert.deepEqual([old['deprecation'], old['sunset']], ['Mon, 5 Aug 2024 00:00:00 GMT', 'Thu, 1 Jul 2027 00:00:00 GMT']);
    const newest = (await accept('application/vnd.atlas.2024-08-05+json')).headers;
    assert.deepEqual([newest['deprecation'], newest['sunset']], [undefined, undefined]);
  });

  for (const [what, value, errorCode] of [
    ['none', undefined, 'NOT_ACCEPTABLE'],
    ['anything', '*/*', 'NOT_ACCEPTABLE'],
    ['plain JSON', 'application/json', 'NOT_ACCEPTABLE'],
    ['a preview', 'application/vnd.atlas.preview+json', 'NOT_ACCEPTABLE'],
    ['another format', 'application/vnd.atlas.2023-01-01+csv', 'NOT_ACCEPTABLE'],
    ['a date that no calendar has', 'application/vnd.atlas.2023-13-45+json', 'NOT_ACCEPTABLE'],
    ['a 30th of February', 'application/vnd.atlas.2024-02-30+json', 'NOT_ACCEPTABLE'],
    ['a date before the first', 'application/vnd.atlas.2022-12-31+json', 'INVALID_VERSION_DATE'],
    ['a date to come', 'application/vnd.atlas.2026-03-02+json', 'INVALID_VERSION_DATE'],
  ] as const) {
    test(`refuses ${what} with 406`, async () => {
      const { status, json, headers } = await accept(value);
      assert.deepEqual([status, json['errorCode'], json['error'], json['reason']], [406, errorCode, 406, 'Not Acceptable']);
      assert.match(String(headers['content-type']), /^application\/json/);
    });
  }

  test('takes the date of today', async () => {
    assert.equal((await accept('application/vnd.atlas.2026-03-01+json')).status, 200);
  });

  test('gives each date of a cluster its form', async () => {
    const form = async (version: string) => (await facade.atlas(`/groups/${SHOP_ID}/clusters/orders`, { version })).json;
    assert.equal((await form('2023-01-01'))['providerBackupEnabled'], false, 'it has no schedule');
    assert.equal((await form('2023-02-01'))['providerBackupEnabled'], undefined);
    assert.equal((await form('2024-08-05'))['redactClientLogData'], false);
  });
});
