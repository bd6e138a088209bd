// Clients that people run, unmodified, against the server of the contract suite: `mongodb-atlas-api-client` of npm and curl.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AtlasInstallation } from '../../support/atlas-installation.ts';
import { CLUSTER, KEY, PROJECT } from '../../support/installation.ts';
import { runCurl } from '../../support/run-curl.ts';

type Told = Readonly<Record<string, unknown>>;

/** What is used of it; its own types lack the options of a request. */
interface NpmClient {
  readonly cloudBackup: {
    getAllReplicaSetCloudBackups(cluster: string, options?: object): Promise<Told>;
    getReplicaSetCloudBackup(cluster: string, id: string, options?: object): Promise<Told>;
    createSnapshotRestoreJob(cluster: string, body: object, options?: object): Promise<Told>;
    getSnapshotRestoreJob(cluster: string, id: string, options?: object): Promise<Told>;
  };
  readonly cluster: { getAll(options?: object): Promise<Told>; get(name: string, options?: object): Promise<Told> };
  readonly project: { getAll(options?: object): Promise<Told> };
}

/** @param installation known when the tests run; one whole snapshot has to be there */
export function realClients(installation: () => AtlasInstallation, snapshotId: () => string): void {
  describe('mongodb-atlas-api-client of npm', () => {
    const client = async (prefix: string): Promise<NpmClient> => {
      const { default: getClient } = (await import('mongodb-atlas-api-client')) as unknown as { readonly default: (config: object) => NpmClient };
      return getClient({ ...KEY, baseUrl: `${installation().origin}${prefix}`, projectId: PROJECT.id });
    };

    test('lists and reads by v1.0 with digest', async () => {
      const { cloudBackup, cluster, project } = await client('/api/atlas/v1.0');
      assert.deepEqual(((await project.getAll())['results'] as { name: string }[]).map(({ name }) => name), ['guarded', PROJECT.name]);
      assert.deepEqual(((await cluster.getAll())['results'] as { name: string }[]).map(({ name }) => name), [CLUSTER.name]);
      assert.equal((await cluster.get(CLUSTER.name))['id'], CLUSTER.id);
      const page = await cloudBackup.getAllReplicaSetCloudBackups(CLUSTER.name, { itemsPerPage: 1 });
      assert.equal((page['results'] as unknown[]).length, 1);
      assert.equal((await cloudBackup.getReplicaSetCloudBackup(CLUSTER.name, snapshotId()))['status'], 'completed');
      const inEnvelope = await cloudBackup.getReplicaSetCloudBackup(CLUSTER.name, snapshotId(), { envelope: true });
      assert.deepEqual([inEnvelope['status'], (inEnvelope['content'] as Told)['id']], [200, snapshotId()]);
    });

    test('prepares a download and reads the job, by v1.0 and by v2 with its header', async () => {
      for (const [prefix, options] of [['/api/atlas/v1.0', {}], ['/api/atlas/v2', { httpOptions: { headers: { Accept: 'application/vnd.atlas.2023-01-01+json', 'Content-Type': 'application/json' } } }]] as const) {
        const { cloudBackup } = await client(prefix);
        const made = await cloudBackup.createSnapshotRestoreJob(CLUSTER.name, { deliveryType: 'download', snapshotId: snapshotId() }, options);
        assert.match(String(made['id']), /^[0-9a-f]{24}$/, JSON.stringify(made));
        assert.equal((await cloudBackup.getSnapshotRestoreJob(CLUSTER.name, String(made['id']), options))['snapshotId'], snapshotId());
      }
    });

    test('finds the error in the body, as it never looks at the status', async () => {
      const { cloudBackup } = await client('/api/atlas/v1.0');
      const told = await cloudBackup.getReplicaSetCloudBackup('nowhere', snapshotId());
      assert.deepEqual([told['error'], told['errorCode']], [404, 'CLUSTER_NOT_FOUND']);
    });
  });

  describe('curl --digest', () => {
    const curl = async (path: string, ...args: string[]): Promise<Told> => {
      const answer = await runCurl(['--digest', '--user', `${KEY.publicKey}:${KEY.privateKey}`, '--header', 'Accept: application/vnd.atlas.2024-11-13+json', ...args, `${installation().origin}/api/atlas/v2/groups/${PROJECT.id}${path}`]);
      assert.equal(answer.exitCode, 0);
      return JSON.parse(answer.body) as Told;
    };

    test('fetches the archive of a snapshot by the flex form, as the Atlas CLI does', async () => {
      const told = await curl(`/flexClusters/${CLUSTER.name}/backup/download`, '--header', 'Content-Type: application/json', '--data', JSON.stringify({ snapshotId: snapshotId() }));
      const archive = await fetch(String(told['snapshotUrl']));
      assert.equal(archive.status, 200);
      assert.deepEqual([...new Uint8Array(await archive.arrayBuffer()).slice(0, 2)], [0x1f, 0x8b], 'gzip');
    });

    test('reads the same snapshot in each form', async () => {
      for (const path of [`/clusters/${CLUSTER.name}/backup/snapshots`, `/clusters/${CLUSTER.name}/backup/tenant/snapshots`, `/clusters/${CLUSTER.name}/snapshots`, `/serverless/${CLUSTER.name}/backup/snapshots`]) {
        assert.equal((await curl(`${path}/${snapshotId()}`))['id'], snapshotId(), path);
      }
    });
  });
}
