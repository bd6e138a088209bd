// The process: the only file that touches environment, arguments, exit code and signals.
import { readFileSync } from 'node:fs';
import { runCli } from './cli/index.ts';
import { EXIT_CODES } from './cli/index.ts';

const stop = new AbortController();
let signals = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    signals += 1;
    // A person who asks twice does not want to wait.
    if (signals > 1) process.exit(EXIT_CODES.interrupted.code);
    stop.abort(new Error(`Stopped by ${name}`));
  });
}
// A reader that went away (`leafvault check | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_CODES.ok.code);
  throw error;
});

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, 'utf8'),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stop: stop.signal,
});
