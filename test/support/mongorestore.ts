// MongoDB's own mongorestore, where the machine has it: LEAFVAULT_MONGORESTORE or PATH. It comes with no package that
// the tests can install, so what needs it is left out by name where it is missing.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Mongorestore {
  /** Loads a dump folder into an empty server, documents that their validator would refuse included. @returns what it said @throws with what it said when it fails */
  load(uri: string, dir: string): Promise<string>;
}

/** A reason in words where there is none, which node:test prints beside the test. */
export async function findMongorestore(): Promise<Mongorestore | string> {
  const program = process.env['LEAFVAULT_MONGORESTORE'] ?? 'mongorestore';
  const found = await run(program, ['--version']).then(() => true, () => false);
  if (!found) return `LEFT OUT: ${program} does not run here; put mongorestore of the MongoDB Database Tools on PATH, or name it in LEAFVAULT_MONGORESTORE`;
  return {
    load: async (uri, dir) => {
      const { stdout, stderr } = await run(program, [`--uri=${uri}`, `--dir=${dir}`, '--stopOnError', '--bypassDocumentValidation'], { maxBuffer: 64 * 1024 * 1024 });
      return stdout + stderr;
    },
  };
}
