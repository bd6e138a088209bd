import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'foundation', 'external-memory.ts');

/** Makes 40 buffers of 16 MiB and drops each: how often the whole heap was collected, and what was said on stderr. */
async function collections(before: string): Promise<{ readonly count: number; readonly stderr: string }> {
  const code = `${before}
    import { PerformanceObserver, constants } from 'node:perf_hooks';
    let count = 0;
    new PerformanceObserver((list) => { for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count += 1; }).observe({ entryTypes: ['gc'] });
    for (let i = 0; i < 40; i += 1) { Buffer.alloc(16 * 1024 * 1024); await new Promise(setImmediate); }
    console.log(count);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]);
  return { count: Number(stdout), stderr };
}

describe('counting buffers as heap', () => {
  it('is known to this version of Node, and makes whole collections rarer', async () => {
    const [plain, counted] = [await collections(''), await collections(`import { countBuffersAsHeap } from ${JSON.stringify(MODULE)}; countBuffersAsHeap();`)];
    assert.equal(counted.stderr, '');
    assert.ok(plain.count > 0, `without: ${plain.count}`);
    assert.ok(counted.count < plain.count, `with: ${counted.count}, without: ${plain.count}`);
  });
});
