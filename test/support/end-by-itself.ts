// Imported into the process of each test file, which has to end by itself. Node's own `--test-force-exit` ends it before its last results are sent:
// three files of 417 tests reported 365 to 417 (Node 24.21).
import { after } from 'node:test';
import { isMainThread } from 'node:worker_threads';

/** For what is still being closed when the tests are over, on a slow machine. */
const GRACE_MS = 60_000;
const [, file = ''] = process.argv;

// Threads and forked children of a test get the import too.
if (isMainThread && file.endsWith('.test.ts')) {
  after(() => void setTimeout(() => {
    console.error(`The tests of ${file} are over, and something holds it open: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, GRACE_MS).unref());
}
