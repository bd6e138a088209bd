// Runs scripts of package.json beside each other, each to its end, and tells what each said: `node scripts/run-checks.ts check:types check:lint`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

const outcomes = await Promise.all(process.argv.slice(2).map(runScript));
process.exitCode = outcomes.every((code) => code === 0) ? 0 : 1;

async function runScript(name: string): Promise<number> {
  const child = spawn('npm', ['run', '--silent', name], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { said += text; });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
  // At once, so that what two of them say does not mix.
  process.stdout.write(`${name}: ${code === 0 ? 'passed' : `failed (${code})`}\n${said}`);
  return code;
}
