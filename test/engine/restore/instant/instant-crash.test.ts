import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import { settleRestore } from '../../../../src/engine/restore/index.ts';
import { newId } from '../../../../src/foundation/ids.ts';
import { createLogger } from '../../../../src/foundation/logger.ts';
import { createLocalStorage } from '../../../../src/storage/index.ts';
import { holdCommands } from '../../../support/hold-commands.ts';
import { fileJournal, type RestoreChildOptions } from '../../../support/restore-child.ts';
import { contentOfServer } from '../../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

const CHILD = join(import.meta.dirname, '../../../support/restore-child.ts');
const OPERATIONS = 20_000;

describe('a restore to an instant that is killed with SIGKILL', { timeout: 900_000 }, () => {
  let folder: string;
  let small: SmallSource;
  let border: ClusterTime;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-instant-crash-'));
    small = await startSmallSource(createLocalStorage(join(folder, 'repository')), async (client) => {
      await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: 1_000 }, (_, n) => ({ _id: n as never, n })));
      await client.db('copy').collection('orders').insertOne({ live: 'before' });
    });
    const orders = small.client.db('shop').collection<Document>('orders');
    for (let round = 0; round < OPERATIONS / 1_000; round += 1) await orders.updateMany({}, { $set: { round } });
    border = await small.here();
  });

  after(async () => {
    await small?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('is old after it was settled, wherever in the replay it was, and begins anew', async () => {
    const live = await contentOfServer(small.server.uri);
    for (const where of ['replay', 'among operations', 'indexes']) {
      const restoreId = newId();
      const begun = await operationsSoFar();
      const release = where === 'among operations' ? await holdCommands(small.server, ['applyOps'], { skip: 5 }) : null;
      const { child, over } = start(restoreId, (step) => {
        if (step === where) child.kill('SIGKILL');
        else if (step === 'replay' && where === 'among operations') void killOnce(child, begun);
      });
      await over;
      await release?.();
      if (where === 'among operations') assert.ok((await operationsSoFar()) - begun < OPERATIONS, 'it was killed before the last operation');
      assert.equal(await settle(restoreId), 'old');
      assert.equal(await settle(restoreId), 'old');
      assert.deepEqual(await contentOfServer(small.server.uri), live, `killed in ${where}`);
      assert.equal(await small.client.db('__leafvault').collection('plans').countDocuments(), 0);
    }
    const restoreId = newId();
    const killed = start(restoreId, (step) => void (step === 'replay' && killed.child.kill('SIGKILL')));
    await killed.over;
    await start(restoreId, () => undefined).over;
    assert.equal(await small.client.db('copy').collection('orders').countDocuments({ round: OPERATIONS / 1_000 - 1 }), 1_000);
  });

  async function killOnce(child: ChildProcess, begun: number): Promise<void> {
    while ((await operationsSoFar()) === begun) await delay(20);
    child.kill('SIGKILL');
  }

  /** Updates that the server took, those of replays among them. */
  async function operationsSoFar(): Promise<number> {
    return small.client.db('local').collection('oplog.rs').countDocuments({ ns: /^copy\.__lv_/, op: 'u' });
  }

  function settle(restoreId: string): Promise<'old' | 'new'> {
    return settleRestore({ restoreId, target: { uri: small.server.uri }, journal: fileJournal(join(folder, `${restoreId}.json`)), signal: new AbortController().signal, log: createLogger('silent') });
  }

  function start(restoreId: string, onStep: (step: string) => void): { readonly child: ChildProcess; readonly over: Promise<void> } {
    const options: RestoreChildOptions = {
      restoreId, uri: small.server.uri, repositoryFolder: join(folder, 'repository'), snapshotId: small.root.id, journalFile: join(folder, `${restoreId}.json`), tempFolder: folder,
      changes: { selection: INTO_COPY }, instant: { chainId: small.oplog.chainId, border },
    };
    const child = fork(CHILD, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const over = new Promise<void>((resolve, reject) => {
      child.on('message', ({ step, failed }: { step?: string; failed?: string }) => {
        if (failed !== undefined) reject(new Error(failed));
        if (step === undefined) return;
        onStep(step);
        if (!child.killed) child.send('go');
      });
      child.on('error', reject);
      child.on('exit', () => resolve());
    });
    return { child, over };
  }
});
