// The real curl, as people call it.
import { execFile } from 'node:child_process';

export interface CurlAnswer {
  /** Of the last answer. */
  readonly status: number;
  readonly body: string;
  /** curl's own exit code: 0, 18 (ended short), 56 (connection reset), … */
  readonly exitCode: number;
  /** Lines that curl sent (`> `) and got (`< `), without the marks. */
  readonly sent: readonly string[];
  readonly got: readonly string[];
}

/** @throws when there is no curl on PATH: the tests of the doors need it */
export function runCurl(args: readonly string[], stdin = ''): Promise<CurlAnswer> {
  return new Promise((resolve, reject) => {
    const child = execFile('curl', ['--silent', '--verbose', '--max-time', '20', '--write-out', '\n%{http_code}', ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && (error as NodeJS.ErrnoException).code === 'ENOENT') {
        reject(new Error('curl is not on PATH: install it (apt-get install curl) to run this test', { cause: error }));
        return;
      }
      const cut = stdout.lastIndexOf('\n');
      const lines = (mark: string): string[] => stderr.split(/\r?\n/).filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
      const exitCode = error === null ? 0 : Number(error.code ?? -1);
      resolve({ status: Number(stdout.slice(cut + 1)), body: stdout.slice(0, cut), exitCode, sent: lines('> '), got: lines('< ') });
    });
    // A curl that could not connect has ended by now.
    child.stdin?.on('error', () => undefined).end(stdin);
  });
}
