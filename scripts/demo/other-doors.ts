// Three more APIs over the same snapshots and jobs: tenant download, Commvault, Ops Manager.
import { setTimeout as delay } from 'node:timers/promises';
import { readArchive } from './archive.ts';
import { megabytes, type Taken } from './back-up.ts';
import type { Doors } from './doors.ts';
import { proveDocuments } from './prove.ts';
import { CLUSTER, PROJECT } from './stage.ts';
import type { Story } from './story.ts';
import { watchJob } from './watch-job.ts';

export async function downloadArchive({ story, doors, taken }: { readonly story: Story; readonly doors: Doors; readonly taken: Taken }): Promise<void> {
  const { body } = await doors.digest.call('POST', `${doors.atlasV1}/tenant/download`, {
    body: { snapshotId: taken.snapshotId, targetDeploymentItemName: CLUSTER.name },
    meaning: (answer) => `${String(answer.body.deliveryType)}, ${String(answer.body.status)}: a signed address that lives until ${String(answer.body.expirationDate)}`,
  });
  const url = String(body.snapshotUrl);
  const bar = story.bar('downloading        ');
  const content = await readArchive(url, (bytes) => bar.update(null, megabytes(bytes)));
  bar.done(`${megabytes(content.bytes)}, ${content.files} files`);
  // Measurements travel inside their buckets, as mongodump writes them; the restore has proven them one by one.
  const isSeries = (namespace: string): boolean => taken.before.get(namespace)?.type === 'timeseries';
  const before = new Map([...taken.before].filter(([namespace]) => !isSeries(namespace)));
  const proof = proveDocuments(before, taken.journals, content.documents);
  const series = [...taken.before.keys()].filter(isSeries).map((namespace) => namespace.replace('.', '.system.buckets.'));
  const missing = series.filter((namespace) => (content.documents.get(namespace)?.size ?? 0) === 0);
  const unmade = [...taken.before.keys()].filter((namespace) => !content.metadata.has(namespace));
  if (missing.length + unmade.length > 0) throw new Error(`The archive lacks ${[...missing, ...unmade.map((namespace) => `metadata of ${namespace}`)].join(', ')}`);
  story.proven('The download is a whole mongodump folder', `${proof.documents.toLocaleString('en')} documents equal, every BSON and metadata file parsed`);
  const altered = await fetch(url.replace(/\/[^/]{4}([^/]*)\/([^/]*)$/, '/AAAA$1/$2'));
  if (altered.status !== 404) throw new Error(`An altered download address answered ${altered.status}`);
  story.proven('An altered address opens nothing', 'HTTP 404');
}

export async function backUpThroughCommvault({ story, doors }: { readonly story: Story; readonly doors: Doors }): Promise<void> {
  const { body } = await doors.commvault.call('POST', '/commandcenter/api/createtask', {
    body: literalBody(),
    meaning: (answer) => `task ${String(answer.body.taskId)} started job ${String((answer.body.jobIds as readonly string[])[0])}`,
  });
  const jobId = String((body.jobIds as readonly string[])[0]);
  await watchJob({
    story, label: 'backing up again   ', commvault: doors.commvault,
    async isOver() {
      const { status, reason } = await jobOf(doors, jobId);
      if (/failed|killed/i.test(status)) throw new Error(`Job ${jobId} ended as ${status}: ${reason}`);
      return status === 'Completed';
    },
  });
  await doors.commvault.call('GET', `/commandcenter/api/Job/${jobId}`, { meaning: () => 'Completed, 100 %' });
  story.proven('Commvault starts the same engine', `job ${jobId} completed`);
}

/** The body as Commvault's page prints it, with the names of this cluster. */
function literalBody(): unknown {
  return {
    taskInfo: {
      associations: [{
        clientName: PROJECT.name, instanceName: CLUSTER.name, displayName: 'string', backupsetId: 0, _type_: 0, commCellName: 'string', instanceId: 0, subclientId: 0, clientId: 0,
        appName: 'string', backupsetName: 'defaultBackupSet', applicationId: 0, subclientName: 'default', entityInfo: { companyId: 0, companyName: 'string', multiCommcellId: 0 },
      }],
      task: { taskType: 0 },
      subTasks: [{
        subTask: { subTaskType: 0, operationType: 0 },
        options: {
          backupOpts: { backupLevel: 'FULL' }, commonOpts: { notifyUserOnJobCompletion: true },
          adminOpts: { clientInstallOption: { installerOption: { User: { userId: 0, userName: 'string' } } } },
        },
      }],
    },
  };
}

async function jobOf(doors: Doors, jobId: string): Promise<{ readonly status: string; readonly reason: string }> {
  const { body } = await doors.commvault.call('GET', `/commandcenter/api/Job/${jobId}`);
  const [job] = body.jobs as readonly { readonly jobSummary: { readonly status: string; readonly pendingReason: string } }[];
  return { status: job?.jobSummary.status ?? 'unknown', reason: job?.jobSummary.pendingReason ?? '' };
}

export async function restoreThroughOpsManager(options: { readonly story: Story; readonly doors: Doors; readonly taken: Taken; readonly origin: string }): Promise<void> {
  const { story, doors, taken, origin } = options;
  const { body } = await doors.digest.call('POST', `${doors.opsManager}/restoreJobs`, {
    body: { snapshotId: taken.snapshotId, delivery: { methodName: 'HTTP', expirationHours: 1, maxDownloads: 1 } },
    meaning: (answer) => `restore job ${String(first(answer.body).id)} is ${String(first(answer.body).statusName)}: to be fetched once, within an hour`,
  });
  const id = String(first(body).id);
  const delivery = await ready(doors, id);
  const { status } = await fetch(delivery.url, { method: 'HEAD' });
  if (status !== 200) throw new Error(`HEAD of the delivery address answered ${status}`);
  const sent = await readArchive(delivery.url, () => undefined);
  const again = await fetch(delivery.url);
  await again.body?.cancel();
  if (again.status === 200) throw new Error('An archive that may be fetched once was fetched twice');
  const { body: after } = await doors.digest.call('GET', `${doors.opsManager}/restoreJobs/${id}`, {
    meaning: (answer) => `delivery is ${String((answer.body.delivery as { statusName?: string }).statusName)}; a second fetch got ${again.status}`,
  });
  const [hash] = (after.hashes ?? []) as readonly { readonly hash: string }[];
  if (hash?.hash !== sent.sha1) throw new Error(`The SHA-1 that Ops Manager's API names (${hash?.hash ?? 'none'}) is not that of what was sent (${sent.sha1})`);
  story.proven('Ops Manager delivers the archive once', `${megabytes(sent.bytes)} from ${origin}, SHA-1 as the API says`);
}

async function ready(doors: Doors, id: string): Promise<{ readonly url: string }> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { body } = await doors.digest.call('GET', `${doors.opsManager}/restoreJobs/${id}`);
    const delivery = body.delivery as { readonly url?: string; readonly statusName?: string };
    if (delivery.statusName === 'READY' && delivery.url) return { url: delivery.url };
    if (body.statusName === 'BROKEN' || body.statusName === 'KILLED') throw new Error(`The restore job ${id} ended as ${String(body.statusName)}`);
    await delay(100);
  }
  throw new Error(`The restore job ${id} was not ready within 30 s`);
}

function first(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return ((body.results ?? []) as readonly Record<string, unknown>[])[0] ?? {};
}
