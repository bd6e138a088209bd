// The process: the only file that touches environment, arguments, exit code and signals.
import { readFileSync } from 'node:fs';
import { EXIT_CODES, processInput, runCli } from './cli/index.ts';
import { countBuffersAsHeap } from './foundation/external-memory.ts';

countBuffersAsHeap();

const stop = new AbortController();
let stopAskedAt: number | null = null;
/** A terminal signals the whole group and a wrapper passes it on: what comes at once is one wish. */
const SAME_WISH_MS = 1_000;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // A person who asks twice does not want to wait.
    if (stopAskedAt !== null && performance.now() - stopAskedAt > SAME_WISH_MS) process.exit(EXIT_CODES.interrupted.code);
    stopAskedAt ??= performance.now();
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
  input: processInput(process.stdin, (text) => void process.stderr.write(text)),
  stop: stop.signal,
});
