// Commvault's SDK for Python as PyPI has it, and a program of ours that drives it, one command at a time.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { keepFolder, pipInstall } from './kept-folder.ts';
import { cacheFolder } from './mongod-binary.ts';

const VERSION = '11.44';
const PROGRAM = join(import.meta.dirname, 'cvpysdk-session.py');

/** Folder for PYTHONPATH. @throws Error that says how to get it */
export async function resolveCvpysdk(say: (text: string) => void, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.LEAFVAULT_CVPYSDK) return env.LEAFVAULT_CVPYSDK;
  const requirement = `cvpysdk==${VERSION}`;
  return keepFolder(join(dirname(cacheFolder(env)), 'python'), `cvpysdk-${VERSION}`, join('cvpysdk', 'commcell.py'), async (folder) => {
    say(`Fetching ${requirement} …`);
    await pipInstall(requirement, folder, { env, otherwise: 'Set LEAFVAULT_CVPYSDK to a folder that holds it.' });
  });
}

export interface CvpysdkSession extends AsyncDisposable {
  /** Runs Python where `commcell`, `Job` and what ran before are known; gives the value of `answer`, if it sets one. @throws Error with the traceback */
  run(code: string): Promise<unknown>;
}

/** A process in which the SDK has logged in. */
export async function openCvpysdk(origin: string, { user, password }: { readonly user: string; readonly password: string }): Promise<CvpysdkSession> {
  const folder = await resolveCvpysdk(() => undefined);
  const child = spawn('python3', ['-u', PROGRAM, new URL(origin).host, user, password], { env: { ...process.env, PYTHONPATH: folder }, stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => { errors += bytes.toString(); });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`cvpysdk ended: ${errors}`);
    const { answer, error } = JSON.parse(String(value)) as { readonly answer?: unknown; readonly error?: string };
    if (error !== undefined) throw new Error(error);
    return answer;
  };
  await next();
  return {
    run(code) {
      child.stdin.write(`${JSON.stringify(code)}\n`);
      return next();
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
