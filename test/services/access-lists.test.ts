import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeAccessList, withoutEntry } from '../../src/services/access-lists.ts';

describe('an access list', () => {
  test('takes each place once, however it is written', () => {
    assert.deepEqual(changeAccessList(['10.0.0.1'], ['10.0.0.1/32', ' 10.0.0.0/8 ', '10.0.0.0/8', '2001:DB8::1', '2001:db8::1/128']), ['10.0.0.1', '10.0.0.0/8', '2001:DB8::1']);
  });

  test('refuses what is no address, and more than 200 entries', () => {
    for (const entry of ['', 'localhost', '10.0.0.1/33', '10.0.0', '::1/129']) assert.throws(() => changeAccessList([], [entry]), { code: 'ACCESS_ENTRY_INVALID' }, entry);
    assert.throws(() => changeAccessList([], Array.from({ length: 201 }, (_, at) => `10.0.${at >> 8}.${at & 255}`)), { code: 'ACCESS_LIST_FULL' });
  });

  test('loses an entry in either form, and tells when it is not there', () => {
    assert.deepEqual(withoutEntry(['10.0.0.1', '10.0.0.0/8'], '10.0.0.1/32'), ['10.0.0.0/8']);
    assert.throws(() => withoutEntry(['10.0.0.0/8'], '10.0.0.1'), { code: 'ACCESS_ENTRY_NOT_FOUND' });
  });
});
