// Real S3 servers on loopback, for tests of stores. They end with the test process, however it ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './mongod.ts';
import { PATIENCE_MS } from './patience.ts';
import { resolveS3Binaries } from './s3-binaries.ts';
import { startWatchdog } from './watchdog.ts';

export const S3_KEY = { AWS_ACCESS_KEY_ID: 'leafvault-test', AWS_SECRET_ACCESS_KEY: 'secret-of-a-throw-away-store' };

export interface S3Server extends AsyncDisposable {
  readonly port: number;
  /** As an administrator. */
  readonly client: S3Client;
  /** A fresh bucket as an address of a store. */
  newStore(prefix?: string, options?: { readonly objectLock?: boolean }): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The same server with the same objects, on the same port; only of versitygw, which keeps them in a folder. */
  restart(): Promise<void>;
  /** Answers nothing, and refuses nothing, until it is thawed. */
  freeze(): void;
  thaw(): void;
}

export type S3Kind = 'moto' | 'versitygw';

/** `versions`: of versitygw, which keeps none otherwise. `data`: the folder of its buckets, which is left as it is in the end. Sets the key in this process's environment, where the SDK looks. @throws Error that says why it can't be started */
export async function startS3(kind: S3Kind, { versions = false, data }: { readonly versions?: boolean; readonly data?: string } = {}): Promise<S3Server> {
  Object.assign(process.env, S3_KEY);
  const binaries = await resolveS3Binaries(() => undefined);
  const folder = await mkdtemp(join(tmpdir(), `leafvault-${kind}-`));
  const watchdog = startWatchdog(folder);
  const port = await freePort();
  // moto gives back the MD5 that an object under a lock was put with, also for a part of it.
  if (kind === 'moto') process.env['AWS_RESPONSE_CHECKSUM_VALIDATION'] = 'when_required';
  const start = async (): Promise<ChildProcess> => {
    const started = kind === 'moto' ? startMoto(binaries.moto, port, folder) : await startVersitygw(binaries.versitygw, { port, folder, versions, data });
    if (started.pid !== undefined) watchdog.watch(started.pid);
    started.unref();
    await answers(port, started);
    return started;
  };
  let child = await start();
  const client = new S3Client({ endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, region: 'us-east-1', maxAttempts: 1 });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.ref();
    child.kill('SIGKILL');
    await gone;
  };
  let buckets = 0;
  return {
    port, client, kill,
    async restart() {
      if (kind === 'moto') throw new Error('moto keeps its objects in memory');
      await kill();
      child = await start();
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async newStore(prefix = '', { objectLock = false } = {}) {
      buckets += 1;
      const bucket = `store-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket, ...(objectLock ? { ObjectLockEnabledForBucket: true } : {}) }));
      return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}?endpoint=http://127.0.0.1:${port}&region=us-east-1`;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await kill();
      watchdog.dismiss();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Why a kind can't be started here; null: it can. In continuous integration everything has to. */
export async function whyNot(kind: S3Kind): Promise<string | null> {
  const { versitygw } = await resolveS3Binaries(() => undefined);
  if (kind === 'moto' || !(versitygw instanceof Error)) return null;
  if (process.env['CI'] === 'true') throw versitygw;
  return versitygw.message;
}

function startMoto(folder: string, port: number, work: string): ChildProcess {
  // The folder stands in the command line, so that the watchdog knows its process.
  return spawn('python3', ['-c', `import sys; sys.argv = ['moto_server', '-H', '127.0.0.1', '-p', '${port}']; from moto.server import main; main()`, work], {
    stdio: 'ignore', env: { ...process.env, PYTHONPATH: folder, MOTO_S3_DEFAULT_MAX_KEYS: '1000' },
  });
}

async function startVersitygw(binary: string | Error, { port, folder, versions, data = join(folder, 'buckets') }: { readonly port: number; readonly folder: string; readonly versions: boolean; readonly data?: string | undefined }): Promise<ChildProcess> {
  if (binary instanceof Error) throw binary;
  const older = join(folder, 'versions');
  for (const each of [data, older]) await mkdir(each, { recursive: true });
  return spawn(binary, ['--port', `127.0.0.1:${port}`, 'posix', ...(versions ? ['--versioning-dir', older] : []), data], {
    stdio: 'ignore', env: { ...process.env, ROOT_ACCESS_KEY: S3_KEY.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: S3_KEY.AWS_SECRET_ACCESS_KEY },
  });
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(50)) {
    if (child.exitCode !== null) throw new Error(`The S3 server ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if (answer !== null) return;
  }
  throw new Error('The S3 server says nothing');
}
