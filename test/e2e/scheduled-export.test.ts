// From a schedule to a folder in a bucket: the time comes, a snapshot is taken, its export follows, and what lies in the bucket is what was in the database.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { EJSON } from 'bson';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { S3_KEY, startS3, whyNot, type S3Kind } from '../support/s3-servers.ts';

const TARGET = '5f00000000000000000000ee';
const BUCKETS = `/api/atlas/v2/groups/${PROJECT.id}/backup/exportBuckets`;

const KINDS: readonly S3Kind[] = ['moto', 'versitygw'];
const missing = new Map(await Promise.all(KINDS.map(async (kind) => [kind, await whyNot(kind)] as const)));

// At once: each waits for the same minute.
describe('the export of a schedule', { concurrency: true, timeout: 900_000 }, () => {
  for (const kind of KINDS) {
    test(`a snapshot of the schedule is exported to a bucket of ${kind}, document by document`, { timeout: 900_000, skip: missing.get(kind) ?? false }, async () => {
      await using source = await startSource(1_000);
      await using s3 = await startS3(kind);
      await using folder = await leafvaultFolder();
      await s3.client.send(new CreateBucketCommand({ Bucket: 'acme' }));
      const settings = settingsFor(source.uri, { exportTargets: [{ name: TARGET, endpoint: `http://127.0.0.1:${s3.port}`, region: 'us-east-1', accessKeyId: { env: 'AWS_ACCESS_KEY_ID' }, secretAccessKey: { env: 'AWS_SECRET_ACCESS_KEY' }, pathStyle: true }] });
      const leafvault = await startLeafvault({ folder, port: await freePort(), settings, env: { ...S3_KEY, ...(kind === 'moto' ? { AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required' } : {}) } });
      const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
        const answer = await call(leafvault.origin, method, path, body);
        assert.equal(answer.status, 200, `${method} ${path} ${JSON.stringify(answer.body)} ${await leafvault.log()}`);
        return answer.body;
      };
      const bucket = await ask('POST', BUCKETS, { bucketName: 'acme', cloudProvider: 'AWS', iamRoleId: TARGET });
      // The next whole minute that is not about to begin: each hour's due time. Set anew where it had begun before it was set.
      for (let due = new Date(0); due.getTime() <= Date.now();) {
        due = new Date(Math.ceil((Date.now() + 5_000) / 60_000) * 60_000);
        await ask('PATCH', `${BACKUP}/schedule`, {
          referenceHourOfDay: due.getUTCHours(), referenceMinuteOfHour: due.getUTCMinutes(), autoExportEnabled: true, export: { exportBucketId: bucket['_id'], frequencyType: 'hourly' },
          policies: [{ policyItems: [{ frequencyType: 'hourly', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 2 }] }],
        });
      }
      let exported: Record<string, unknown> | undefined;
      for (const deadline = performance.now() + PATIENCE_MS; exported === undefined && performance.now() < deadline; await delay(250)) {
        const { results } = await ask('GET', `${BACKUP}/exports`) as { readonly results: readonly Record<string, unknown>[] };
        exported = results.find(({ state }) => ['Successful', 'Failed', 'Cancelled'].includes(String(state)));
      }
      assert.deepEqual([exported?.['state'], exported?.['exportStatus']], ['Successful', { exportedCollections: 1, totalCollections: 1 }], await leafvault.log());
      const snapshot = await ask('GET', `${BACKUP}/snapshots/${String(exported?.['snapshotId'])}`);
      assert.deepEqual([snapshot['snapshotType'], snapshot['frequencyType'], snapshot['status']], ['scheduled', 'hourly', 'completed']);

      const prefix = String(exported?.['prefix']);
      const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: 'acme', Prefix: prefix }));
      const read = async (Key: string): Promise<Buffer> => Buffer.from(await (await s3.client.send(new GetObjectCommand({ Bucket: 'acme', Key }))).Body!.transformToByteArray());
      const names = Contents.map(({ Key = '' }) => Key.slice(prefix.length + 1)).sort();
      const parts = names.filter((name) => name.endsWith('.json.gz'));
      assert.deepEqual(names.filter((name) => !parts.includes(name)), ['.complete', 'shop/orders/metadata.json']);
      const complete = JSON.parse((await read(`${prefix}/.complete`)).toString()) as Record<string, unknown>;
      assert.deepEqual([complete['groupId'], complete['clusterName'], complete['totalFiles']], [PROJECT.id, CLUSTER.name, parts.length]);
      const texts = await Promise.all(parts.map(async (name) => gunzipSync(await read(`${prefix}/${name}`)).toString()));
      const documents = texts.join('').trimEnd().split('\n').map((line) => EJSON.parse(line) as { readonly _id: number });
      assert.deepEqual(documents.sort((a, b) => a._id - b._id), await source.client.db('shop').collection('orders').find().sort({ _id: 1 }).toArray());
      assert.match((await read(`${prefix}/shop/orders/metadata.json`)).toString(), /by text/);
      assert.equal(await leafvault.stop(), 0);
    });
  }
});
