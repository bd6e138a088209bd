import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createPartWriter } from '../../../src/engine/export/part-writer.ts';

describe('the writer of parts', () => {
  test('cuts at whole lines, and the parts together are all lines', async () => {
    const parts: string[] = [];
    const writer = createPartWriter(async (number, bytes) => { parts[number] = gunzipSync(bytes).toString(); }, { partBytes: 1000 });
    const lines = Array.from({ length: 500 }, (_, index) => `{"line":${index},"text":"${'é'.repeat(index % 40)}"}`);
    for (const line of lines) await writer.add(line);
    assert.equal(await writer.end(), parts.length);
    assert.ok(parts.length > 10);
    assert.equal(parts.join(''), lines.map((line) => `${line}\n`).join(''));
    for (const part of parts) assert.ok(part.endsWith('}\n'));
  });

  test('puts nothing where there is no line, and a long line is a part of its own', async () => {
    const sizes: number[] = [];
    const put = async (_number: number, bytes: Buffer): Promise<void> => { sizes.push(gunzipSync(bytes).length); };
    assert.equal(await createPartWriter(put).end(), 0);
    const writer = createPartWriter(put, { partBytes: 1000 });
    await writer.add('x'.repeat(5000));
    await writer.add('y');
    assert.equal(await writer.end(), 2);
    assert.deepEqual(sizes, [5001, 2]);
  });
});
