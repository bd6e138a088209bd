import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAddressAllowed } from '../../src/foundation/access-list.ts';
import { changeAccessList, entriesIn, withoutEntry } from '../../src/services/access-lists.ts';

describe('an access list', () => {
  test('takes each place once, however it is written', () => {
    assert.deepEqual(changeAccessList(['10.0.0.1'], ['10.0.0.1/32', ' 10.0.0.0/8 ', '10.0.0.0/8', '2001:DB8::1', '2001:db8::1/128']), ['10.0.0.1', '10.0.0.0/8', '2001:DB8::1']);
  });

  test('refuses what is no address, and more than 200 entries', () => {
    for (const entry of ['', 'localhost', '10.0.0.1/33', '10.0.0', '::1/129']) assert.throws(() => changeAccessList([], [entry]), { code: 'ACCESS_ENTRY_INVALID' }, entry);
    assert.throws(() => changeAccessList([], Array.from({ length: 201 }, (_, at) => `10.0.${at >> 8}.${at & 255}`)), { code: 'ACCESS_LIST_FULL' });
  });

  test('loses an entry in either form, and tells when it is not there', () => {
    assert.deepEqual(withoutEntry(['10.0.0.1', '10.0.0.0/8'], '10.0.0.1/32', null), ['10.0.0.0/8']);
    assert.throws(() => withoutEntry(['10.0.0.0/8'], '10.0.0.1', null), { code: 'ACCESS_ENTRY_NOT_FOUND' });
  });

  test('fits no address once its last entry is gone, shows none, and is whole again with the next', () => {
    const emptied = withoutEntry(['10.0.0.0/8'], '10.0.0.0/8', null);
    assert.deepEqual([isAddressAllowed(emptied, '10.0.0.1'), isAddressAllowed([], '10.0.0.1'), entriesIn(emptied)], [false, true, []]);
    assert.deepEqual(changeAccessList(emptied, ['10.0.0.1']), ['10.0.0.1']);
    assert.throws(() => withoutEntry(emptied, 'nowhere', null), { code: 'ACCESS_ENTRY_NOT_FOUND' });
  });

  test('keeps the entry by which its owner asks, unless another one has the address', () => {
    assert.throws(() => withoutEntry(['10.0.0.1', '10.1.0.0/16'], '10.0.0.1', '10.0.0.1'), { code: 'ACCESS_ENTRY_OWN', details: { address: '10.0.0.1' } });
    assert.deepEqual(withoutEntry(['10.0.0.1', '10.1.0.0/16'], '10.0.0.1', '10.1.2.3'), ['10.1.0.0/16']);
    assert.deepEqual(withoutEntry(['10.0.0.1', '10.0.0.0/16'], '10.0.0.1', '10.0.0.1'), ['10.0.0.0/16']);
  });
});
