import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { masterKeyFrom, recoveryKeyOf } from '../../src/services/recovery-key.ts';

describe('recovery key', () => {
  test('is LV1 and eight groups of seven characters', () => {
    assert.match(recoveryKeyOf(randomBytes(32)), /^LV1(-[0-9A-HJKMNP-TV-Z]{7}){8}$/);
  });

  test('gives every master key back, however it was written down', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const text = recoveryKeyOf(key);
      assert.deepEqual(masterKeyFrom(text), Buffer.from(key));
      assert.deepEqual(masterKeyFrom(` ${text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l').replace('lvl', 'lv1')} `), Buffer.from(key));
    }));
  });

  test('is refused when any one character is another', () => {
    const text = recoveryKeyOf(randomBytes(32));
    for (let at = 4; at < text.length; at += 1) {
      if (text[at] === '-') continue;
      const wrong = text.slice(0, at) + (text[at] === 'Z' ? 'Y' : 'Z') + text.slice(at + 1);
      assert.throws(() => masterKeyFrom(wrong), { code: 'RECOVERY_KEY_WRONG' });
    }
  });

  test('is refused when it is not whole or something else', () => {
    const text = recoveryKeyOf(randomBytes(32));
    for (const wrong of ['', 'LV1', text.slice(0, -1), `${text}0`, text.slice(4), text.replace('LV1', 'LV2'), 'hello world']) {
      assert.throws(() => masterKeyFrom(wrong), { code: 'RECOVERY_KEY_WRONG' });
    }
  });
});
