import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { outlasting, sleep } from '../../src/foundation/abort.ts';

describe('a signal that outlasts another', () => {
  test('fires as late after it as its reason allows, with that reason', async () => {
    const first = new AbortController();
    const late = outlasting(first.signal, (reason) => (reason === 'patient' ? 30 : 0));
    first.abort('patient');
    assert.equal(late.signal.aborted, false);
    await assert.rejects(sleep(10_000, late.signal), (reason) => reason === 'patient');
  });

  test('fires with it where the reason allows no time, and at once where it had fired before', () => {
    const first = new AbortController();
    const late = outlasting(first.signal, () => 0);
    first.abort('now');
    assert.equal(late.signal.reason, 'now');
    assert.equal(outlasting(first.signal, () => 0).signal.reason, 'now');
  });

  test('fires at its end where the time runs, and never where nothing had fired', () => {
    const first = new AbortController();
    const [running, idle] = [outlasting(first.signal, () => 60_000), outlasting(new AbortController().signal, () => 60_000)];
    first.abort('patient');
    running.end();
    idle.end();
    assert.deepEqual([running.signal.reason, idle.signal.aborted], ['patient', false]);
    running.end();
  });
});
